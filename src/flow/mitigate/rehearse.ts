import { z } from 'zod';
import type { RehearsalConfig } from '../../config/rehearsal.ts';
import { FOR_GOOD } from '../../db/budget-store.ts';
import type { Tx } from '../../db/database.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { resultOf } from '../../mitigation/rehearsal.ts';
import {
  openProposalsShowing,
  type Rehearsal,
  replaysOf,
  saveReplay,
  settleRehearsal,
  takeRehearsals,
} from '../../mitigation/rehearsal-store.ts';
import { describeResult, nothingFound } from '../../mitigation/rehearsal-text.ts';
import { type ReplayBudget, type ReplayEndpoint, replayThrough } from '../../mitigation/replay-through.ts';
import { readPromptTexts } from '../../mitigation/serving-store.ts';
import { replayEndpoint } from '../../mitigation/targets/replay-endpoint.ts';
import { refreshCard, showProposal } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { judgeReplays, type ReplayJudge } from './judge-replay.ts';
import { askCandidates } from './plan-rehearsals.ts';
import { rehearsalConfig } from './rehearsal-config.ts';
import { storedReplayBudget } from './replay-budget.ts';
import { type ReplaySet, replaySet } from './replay-set.ts';

type Rehearsing = Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;
type Outcome = Parameters<typeof settleRehearsal>[1]['outcome'];

const payload = z.object({ incidentId: z.number(), isOpening: z.boolean().default(false) });

/**
 * Replays the incident's recorded calls against each state that waits for it. Policy: no longer than the declared seconds
 * and never beyond the incident's budget. A job that was cut short goes on with the calls that have no verdict yet.
 */
export async function rehearse(flow: Rehearsing, job: Job): Promise<void> {
  const { incidentId, isOpening } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) return;
  const config = rehearsalConfig(flow, incident);
  if (isOpening && config !== null) await askCandidates(flow, incident, config);
  const waiting = await takeRehearsals(flow.db, incidentId, job.id);
  if (waiting.length === 0) return;
  const reason =
    config === null
      ? 'its endpoint is not declared any more'
      : LIVE.includes(incident.status)
        ? null
        : `the incident is ${incident.status}`;
  const run = config === null || reason !== null ? null : await startRun(flow, incident, config);
  for (const rehearsal of waiting) {
    const outcome: Outcome =
      run === null
        ? { kind: 'not-rehearsed', reason: reason ?? '' }
        : await rehearseOne(flow, run, rehearsal);
    await flow.db.transaction().execute((tx) => settle(tx, { rehearsal, outcome, now: flow.clock.now() }));
  }
}

export interface Run {
  config: RehearsalConfig;
  set: ReplaySet;
  endpoint: ReplayEndpoint;
  judge: ReplayJudge;
  signal: AbortSignal;
  budget: ReplayBudget;
}

export async function startRun(flow: Rehearsing, incident: Incident, config: RehearsalConfig): Promise<Run> {
  const set = await replaySet(flow, incident);
  const { environment } = incident;
  const service = incident.service ?? '';
  const texts = config.type === 'openai' ? await readPromptTexts(flow.db) : new Map();
  // The seconds are real ones: people wait for them.
  const withinMs = Math.ceil(config.within_seconds * 1_000);
  const endsAt = performance.now() + withinMs;
  const signal = AbortSignal.timeout(withinMs);
  return {
    config,
    set,
    endpoint: replayEndpoint(config, { service, environment, texts }),
    judge: judgeReplays(flow, { service, environment, set, endsAt }),
    signal,
    budget: budgetOf(flow, incident.id, config),
  };
}

/** Policy: the budget is the incident's, whatever is rehearsed for it and however often the bot restarts meanwhile. */
function budgetOf({ db }: Rehearsing, incidentId: number, config: RehearsalConfig): ReplayBudget {
  return storedReplayBudget(db, { kind: 'rehearsal', of: String(incidentId), day: FOR_GOOD }, config);
}

async function rehearseOne(flow: Rehearsing, run: Run, { id, state }: Rehearsal): Promise<Outcome> {
  const { set, endpoint, config, signal, budget, judge } = run;
  const refused = refusedBy(run, state);
  if (refused !== null) return { kind: 'not-rehearsed', reason: refused };
  const done = new Set((await replaysOf(flow.db, id)).map(({ callId }) => callId));
  const calls = set.calls.map(({ call }) => call).filter((call) => !done.has(call.id));
  const { endedEarly } = await replayThrough(endpoint, {
    ...{ calls, candidate: state, budget, signal, concurrency: config.concurrency },
    onReplayed: async (replayed) => {
      const record = await judge(replayed);
      await saveReplay(flow.db, { ...record, rehearsalId: id, callId: replayed.call.id });
    },
  });
  const records = await replaysOf(flow.db, id);
  const { withoutText } = set;
  const result = resultOf(records, { withoutText, notSent: set.calls.length - records.length, endedEarly });
  const reason = nothingFound(result, records);
  return reason === null ? { kind: 'done', result } : { kind: 'not-rehearsed', reason };
}

export function refusedBy({ set, endpoint }: Run, state: Rehearsal['state']): string | null {
  if (set.failing === 0) return 'no call was recorded that failed a check which a replay can repeat';
  if (!set.calls.some(({ side }) => side === 'failing')) return 'the texts of the failing calls are gone';
  const prompts = [...new Set(set.calls.map(({ call }) => call.promptName))];
  return prompts.map((prompt) => endpoint.refuses(prompt, state)).find((why) => why !== null) ?? null;
}

async function settle(
  tx: Tx,
  { rehearsal, outcome, now }: { rehearsal: Rehearsal; outcome: Outcome; now: Date },
): Promise<void> {
  const { id, incident_id: incidentId, name, role } = rehearsal;
  if (!(await settleRehearsal(tx, { id, at: now, outcome }))) return;
  if (outcome.kind === 'done' && role !== 'current') {
    const text = `Rehearsed: ${describeResult(name, outcome.result)}`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'rehearsed', actor: null, text });
  }
  const proposals = await openProposalsShowing(tx, rehearsal);
  await enqueue(tx, [
    ...proposals.map((mitigationId) => showProposal(incidentId, mitigationId, now)),
    refreshCard(incidentId, now),
  ]);
}

/** A job that was given up leaves nothing that seems to run. */
export async function settleLostRehearsals(
  tx: Tx,
  { incidentId, jobId, now }: { incidentId: number; jobId: number; now: Date },
): Promise<void> {
  for (const rehearsal of await takeRehearsals(tx, incidentId, jobId)) {
    const reason = 'it failed, and the log says why';
    await settle(tx, { rehearsal, outcome: { kind: 'not-rehearsed', reason }, now });
  }
}
