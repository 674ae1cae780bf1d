import type { RehearsalConfig } from '../../config/rehearsal.ts';
import type { Candidate } from '../../mitigation/candidate.ts';
import {
  type EndedEarly,
  type ReplayBudget,
  type ReplayCall,
  type ReplayEndpoint,
  type Replayed,
  replayThrough,
} from '../../mitigation/replay-through.ts';
import type { PromptTexts } from '../../mitigation/served.ts';
import { replayEndpoint } from '../../mitigation/targets/replay-endpoint.ts';
import type { EvalCase } from '../../postmortem/eval-case.ts';
import { type CaseOutcome, type Immunity, immunityOf, outcomeOf } from '../../postmortem/immunity.ts';

export interface CaseReplay {
  service: string;
  environment: string;
  config: RehearsalConfig;
  cases: readonly EvalCase[];
  candidate: Candidate;
  budget: ReplayBudget;
  texts: PromptTexts;
  /** Sends the text of a version along, for a version that the service does not have yet. */
  sendsTexts?: boolean;
}

/**
 * Sends the cases' inputs to the candidate and checks what comes back. Policy: a case that fails is asked once more and
 * counts when it fails again, for models vary; one that got no answer is neither passed nor failed.
 */
export async function replayCases(asked: CaseReplay): Promise<Immunity> {
  const { config, cases } = asked;
  const endpoint = replayEndpoint(config, asked);
  const signal = AbortSignal.timeout(Math.ceil(config.within_seconds * 1_000));
  const turn = (of: readonly EvalCase[]) => askAll({ ...asked, endpoint, signal }, of);
  const first = await turn(cases);
  const failing = first.filter(({ kind }) => kind === 'fail').map(({ of }) => of);
  const again = new Map((await turn(failing)).map((outcome) => [outcome.of, outcome]));
  const confirmed = first.map((outcome) => {
    const second = again.get(outcome.of);
    return second?.kind === 'pass' ? second : outcome;
  });
  return immunityOf(confirmed);
}

async function askAll(
  run: CaseReplay & { endpoint: ReplayEndpoint; signal: AbortSignal },
  cases: readonly EvalCase[],
): Promise<CaseOutcome[]> {
  const { endpoint, candidate, budget, signal, config } = run;
  const refusals = cases.map((one) => endpoint.refuses(one.promptName ?? '', candidate));
  const calls = cases.flatMap((one, id) => (refusals[id] === null ? [callOf(one, id)] : []));
  const { replayed, endedEarly } = await replayThrough(endpoint, {
    ...{ calls, candidate, budget, signal, concurrency: config.concurrency },
  });
  const answers = new Map(replayed.map((one) => [one.call.id, one]));
  return cases.map((of, id) => {
    const why = refusals[id] ?? null;
    if (why !== null) return { of, kind: 'unanswered', why };
    return judged(of, answers.get(id), endedEarly);
  });
}

function judged(of: EvalCase, found: Replayed | undefined, endedEarly: EndedEarly | null): CaseOutcome {
  if (found === undefined) return { of, kind: 'unanswered', why: NOT_SENT[endedEarly ?? 'time'] };
  if (found.kind !== 'answered') return { of, kind: 'unanswered', why: found.problem };
  return outcomeOf(of, found.answer.output);
}

const NOT_SENT: Record<EndedEarly, string> = {
  time: 'the time for it was over',
  budget: 'the budget for replays is spent',
  'no-answers': 'the endpoint does not answer',
};

function callOf(one: EvalCase, id: number): ReplayCall {
  return { id, input: one.input, promptName: one.promptName ?? '', parameters: {}, expectedUsd: null };
}
