import { getGlobalDispatcher } from 'undici';
import { budgetDay, spend } from '../../db/budget-store.ts';
import { ExternalError } from '../../errors.ts';
import {
  type Check,
  judgeReplay,
  passedBy,
  type ReplayRecord,
  type SeenOutput,
} from '../../mitigation/rehearsal.ts';
import type { Replayed } from '../../mitigation/replay-through.ts';
import { redact } from '../../redaction.ts';
import { askClassifier } from '../../sources/content/classifier.ts';
import { callInspector } from '../../sources/inspected-call.ts';
import { judgeOf } from '../../sources/judge/judge.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { judgeBudgetKey } from '../watch/judge-calls.ts';
import type { ReplaySet, SetCall } from './replay-set.ts';

export type ReplayJudge = (replayed: Replayed) => Promise<ReplayRecord>;

type Judging = Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;

interface About {
  service: string;
  environment: string;
  set: ReplaySet;
  /** On the clock of `performance`; no judge is waited for any longer. */
  endsAt: number;
}

const LONGEST_OUTPUT_CHARS = 100_000;

/**
 * Looks at each replay as live calls are looked at. Policy: what failed is looked at again by the same check: the format,
 * the leaks and the signals of the text by ours; the score by the service's own, else by its judge, within that one's
 * budget; safety labels by the classifier. An output is judged and forgotten.
 */
export function judgeReplays(flow: Judging, about: About): ReplayJudge {
  const { set, service } = about;
  const byId = new Map(set.calls.map((one) => [one.call.id, one]));
  const inspect = callInspector(serviceConfig(flow, service));
  return async (replayed) => {
    const recorded = byId.get(replayed.call.id);
    if (recorded === undefined) throw new Error(`call ${replayed.call.id} is not in the set`);
    const { side, failed, call } = recorded;
    if (replayed.kind !== 'answered') {
      const { kind, problem } = replayed;
      return { side, kind, verdict: 'fail', note: problem, costUsd: null };
    }
    const { answer } = replayed;
    const output = answer.output.slice(0, LONGEST_OUTPUT_CHARS);
    const wants = (check: Check) => set.checks.includes(check) || failed.includes(check);
    const seen: SeenOutput = {
      output,
      formatOk: answer.formatOk,
      score: answer.score ?? (wants('score') ? await scoreOf(flow, about, { recorded, output }) : null),
      classified: wants('classifier') ? await classify(flow, about, output) : null,
      inspected: inspect({ input: call.input, output }),
    };
    const { verdict, by } = judgeReplay(passedBy(seen, set.bars), { side, checks: set.checks, failed });
    const costUsd = answer.costUsd ?? call.expectedUsd;
    return { side, kind: 'answered', verdict, note: verdict === 'pass' ? null : by, costUsd };
  };
}

async function scoreOf(
  flow: Judging,
  { service, endsAt }: About,
  { recorded, output }: { recorded: SetCall; output: string },
): Promise<number | null> {
  const config = serviceConfig(flow, service)?.judge;
  const leftSeconds = Math.floor((endsAt - performance.now()) / 1_000);
  if (config === undefined || output.trim() === '' || leftSeconds < 1) return null;
  const budget = { key: judgeBudgetKey(flow, service), day: budgetDay(flow.clock.now()), amount: 1 };
  if (!(await spend(flow.db, { ...budget, limit: config.calls_per_day }))) return null;
  const judged = judgeOf(
    { ...config, timeout_seconds: Math.min(config.timeout_seconds, leftSeconds) },
    service,
  ).score({
    input: redact(recorded.call.input),
    output: redact(output),
  });
  const judgement = await orNothing(flow, service, judged);
  return judgement?.kind === 'score' ? judgement.score : null;
}

async function classify(
  flow: Judging,
  { service, environment }: About,
  output: string,
): Promise<boolean | null> {
  const config = serviceConfig(flow, service)?.check.classifier;
  if (config === undefined) return null;
  const asked = askClassifier(
    config,
    { service, environment, output: redact(output) },
    { timeoutMs: config.timeout_ms, dispatcher: getGlobalDispatcher() },
  );
  const answer = await orNothing(flow, service, asked);
  return answer === null ? null : answer.verdict === 'allow';
}

/** A check that is away leaves its answer unjudged, which the result says. */
async function orNothing<T>(flow: Judging, service: string, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.warn({ service, problem: thrown.message }, 'a replay could not be judged');
    return null;
  }
}
