import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { type ClockKind, settleClocks } from '../../incident/clock-store.ts';
import { type Incident, LIVE, mayBecome } from '../../incident/incident.ts';
import { addToTimeline, findIncident, moveStatus, reach } from '../../incident/incident-store.ts';
import { audit, auditExpiry } from '../../mitigation/audit-store.ts';
import { mitigationsOf, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { invitePeople, notice, refreshCard, settlePages, showProposal, writePostmortem } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { beginDuty } from '../learn/duty-state.ts';
import { namesOf, stillOn } from '../mitigate/still-on.ts';
import { suggestTuning } from '../watch/suggest-tuning.ts';
import { ACKNOWLEDGEMENT_CLOCKS, CONTAINMENT_CLOCKS } from './contain-ladder.ts';

export type Ended = { kind: 'done' } | { kind: 'not-possible'; status: Incident['status'] };

export interface Ending {
  incident: Incident;
  by: string;
  reason: string;
}

/** Users are served well again: the post-mortem is written and its 48 hours begin, for `owner` or who it falls to. */
export async function resolve(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  ending: Ending & { owner?: string | null },
): Promise<Ended> {
  const now = flow.clock.now();
  const { id: incidentId } = ending.incident;
  return flow.db.transaction().execute(async (tx) => {
    const outcome = await end(tx, { ...ending, now, to: 'resolved' });
    if (outcome.kind !== 'done') return outcome;
    await reach(tx, { incidentId, name: 'resolved', at: now, recordedAt: now, by: ending.by });
    const { by, owner = null } = ending;
    const incident = (await findIncident(tx, incidentId)) ?? ending.incident;
    const chosen = await beginDuty(flow, tx, { incident, by, owner, now });
    // A mention reaches nobody who is not in the room.
    const guests = chosen === null || chosen === by ? [] : [invitePeople(incidentId, [chosen], now)];
    await enqueue(tx, [...guests, writePostmortem(incidentId, now)]);
    return outcome;
  });
}

/**
 * Nothing was wrong: no post-mortem, and what fired stays quiet until it has been well again. A safety incident takes
 * two people, see `declineSafety`.
 */
export async function declineAlone(flow: Pick<Flow, 'db' | 'clock'>, ending: Ending): Promise<Ended> {
  const now = flow.clock.now();
  return flow.db.transaction().execute((tx) => end(tx, { ...ending, now, to: 'declined' }));
}

/** What an incident that has ended waits for no more. */
const RUNNING_CLOCKS: readonly ClockKind[] = [
  ...ACKNOWLEDGEMENT_CLOCKS,
  ...CONTAINMENT_CLOCKS,
  'update',
  'update-lead',
];

type Step = Ending & { now: Date; to: 'resolved' | 'declined' | 'closed' | 'merged' };

export async function end(tx: Tx, step: Step): Promise<Ended> {
  const from = LIVE.filter((status) => mayBecome(status, step.to));
  const moved = await moveStatus(tx, { id: step.incident.id, from, to: step.to });
  if (moved === undefined) return notPossible(tx, step.incident);
  const { id: incidentId } = step.incident;
  await settleClocks(tx, { incidentId, kinds: [...RUNNING_CLOCKS], state: 'stopped', at: step.now });
  await withdrawProposals(tx, step);
  await enqueue(tx, settlePages(incidentId, 'resolved', step.now));
  await record(tx, step);
  if (step.to === 'declined') {
    await tellWhatStaysOn(tx, step);
    await suggestTuning(tx, step.incident, step.now);
  }
  return { kind: 'done' };
}

/** A false alarm is over, and what was done about it is not: nothing is ever taken back by itself. */
async function tellWhatStaysOn(tx: Tx, { incident, now }: Step): Promise<void> {
  const on = await stillOn(tx, { incidentId: incident.id });
  if (on.length === 0) return;
  const text = `It was a false alarm, and this stays on until somebody takes it back: ${namesOf(on)}. \`/llm-incident lease\` lists it, \`/llm-incident mitigate undo NUMBER\` takes it back.`;
  await enqueue(tx, notice(incident.id, now, { text, aloud: true }));
}

export async function notPossible(tx: Tx, incident: Incident): Promise<Ended> {
  const now = await findIncident(tx, incident.id);
  return { kind: 'not-possible', status: now?.status ?? incident.status };
}

async function withdrawProposals(tx: Tx, { incident, now, to }: Step): Promise<void> {
  for (const { id, status, plan_hash } of await mitigationsOf(tx, incident.id)) {
    if (status !== 'proposed') continue;
    const set = { settled_at: now, outcome: `The incident was ${to} before anyone decided.` };
    await moveMitigation(tx, { id, from: ['proposed'], to: 'expired', set });
    await auditExpiry(tx, { id, plan_hash, now });
    await enqueue(tx, showProposal(incident.id, id, now));
  }
}

/** Puts the end on record. */
export async function record(tx: Tx, { incident, by, reason, now, to }: Step): Promise<void> {
  const text = `${to.charAt(0).toUpperCase()}${to.slice(1)}${reason === '' ? '' : `: ${reason}`}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: to, actor: by, text });
  await audit(tx, { at: now, actor: by, action: `incident.${to}`, subject: `INC-${incident.id}` });
  await enqueue(tx, refreshCard(incident.id, now));
}
