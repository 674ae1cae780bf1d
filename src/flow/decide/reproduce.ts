import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { type ReproductionFacts, reproducibleAnswer } from '../../decision/characteristic.ts';
import { keepAnswer } from '../../decision/characteristic-store.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { replayThrough } from '../../mitigation/replay-through.ts';
import { showCharacteristics } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { rehearsalConfig, servedNow } from '../mitigate/rehearsal-config.ts';
import { refusedBy, startRun } from '../mitigate/rehearse.ts';

export const REPRODUCE = 'reproduce';
const REPRODUCTIONS = 3;

const payload = z.object({ incidentId: z.number() });

/**
 * Sends three failing calls to what is served now, through the endpoint for rehearsals. Policy: within the budget of the
 * incident's rehearsals; what nothing can judge is neither a failure nor a pass.
 */
export async function reproduce(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'log'>,
  job: Job,
): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || !LIVE.includes(incident.status)) return;
  const facts = await replayFew(flow, incident);
  const at = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const answer = reproducibleAnswer(facts);
    await keepAnswer(tx, { incidentId, question: 'reproducible', by: null, at, ...answer });
    const text = `Replayed failing examples: ${answer.text}`;
    await addToTimeline(tx, { incidentId, at, kind: 'characterised', actor: null, text });
    await enqueue(tx, showCharacteristics(incidentId, at));
  });
}

async function replayFew(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'log'>,
  incident: Incident,
): Promise<ReproductionFacts> {
  const config = rehearsalConfig(flow, incident);
  if (config === null)
    return { replays: [], candidates: [], obstacle: 'no rehearsal endpoint is declared for this service' };
  const run = await startRun(flow, incident, config);
  const state = await servedNow(flow, incident, flow.clock.now());
  const failing = run.set.calls.filter(({ side }) => side === 'failing').slice(0, REPRODUCTIONS);
  const candidates = failing.map(({ call }) => call.id);
  const refused = refusedBy(run, state);
  if (refused !== null) return { replays: [], candidates, obstacle: refused };
  const replays: { callId: number; verdict: 'pass' | 'fail' | 'unjudged'; note: string | null }[] = [];
  const { endedEarly } = await replayThrough(run.endpoint, {
    ...{ calls: failing.map(({ call }) => call), candidate: state, budget: run.budget, signal: run.signal },
    concurrency: run.config.concurrency,
    onReplayed: async (replayed) => {
      const { verdict, note } = await run.judge(replayed);
      replays.push({ callId: replayed.call.id, verdict, note });
    },
  });
  return { replays, candidates, obstacle: endedEarly === null ? null : ENDED[endedEarly] };
}

const ENDED = {
  time: 'the endpoint took too long',
  budget: "the incident's budget for replays is spent",
  'no-answers': 'the endpoint does not answer',
} as const;
