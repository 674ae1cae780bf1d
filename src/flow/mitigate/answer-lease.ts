import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { isPartOf } from '../../incident/merge-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { IN_FORCE } from '../../mitigation/in-force.ts';
import { postponeLease, setKept, setLeaseOwner } from '../../mitigation/lease-store.ts';
import { findMitigation, type Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { approversOf } from './approvers.ts';
import { HOUR_MS } from './lease.ts';
import { type Proposed, propose } from './propose.ts';
import { showAgain } from './settle-earlier.ts';

/** Longest that a lease may be given at once. */
export const LONGEST_LEASE_HOURS = 30 * 24;

export type LeaseRefusal =
  | { kind: 'not-on'; why: string }
  | { kind: 'not-allowed'; who: string[] }
  | { kind: 'wrong'; problem: string };

export interface LeaseQuestion {
  incident: Incident;
  mitigationId: number;
  by: string;
}

/** Keeps a mitigation for so many hours, or for good (null), with the reason that closing asks for. */
export async function keepLease(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log' | 'pager'>,
  asked: LeaseQuestion & { hours: number | null; reason: string },
): Promise<LeaseRefusal | { kind: 'kept'; until: Date | null; what: string }> {
  const { by, hours } = asked;
  const reason = asked.reason.trim();
  if (reason === '') return { kind: 'wrong', problem: 'Say why it stays on.' };
  if (hours !== null && !(hours > 0 && hours <= LONGEST_LEASE_HOURS))
    return { kind: 'wrong', problem: `Say for how many hours, at most ${LONGEST_LEASE_HOURS}, or for-good.` };
  const found = await findAnswerable(flow, asked);
  if ('kind' in found) return found;
  const now = flow.clock.now();
  const until = hours === null ? null : new Date(now.getTime() + hours * HOUR_MS);
  return flow.db.transaction().execute(async (tx) => {
    const kept = await setKept(tx, { id: found.id, by, reason, until });
    if (kept === undefined) return notOn(found, 'settled meanwhile');
    const what = whatOf(kept);
    const end = until === null ? 'for good' : `until ${until.toISOString()}`;
    const text = `Kept on purpose ${end}: ${what}. Why: ${reason}`;
    const data = { until: until?.toISOString() ?? null, reasonDigest: digestOf(reason) };
    await record(tx, { mitigation: kept, by, now, kind: 'lease-kept', text, data });
    return { kind: 'kept', until, what };
  });
}

/** Makes somebody else its owner; the new owner is told. */
export async function handOverLease(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log' | 'pager'>,
  asked: LeaseQuestion & { to: string },
): Promise<LeaseRefusal | { kind: 'handed-over'; what: string }> {
  const { by, to, incident } = asked;
  const found = await findAnswerable(flow, asked);
  if ('kind' in found) return found;
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const mitigation = await setLeaseOwner(tx, found.id, to);
    if (mitigation === undefined) return notOn(found, 'settled meanwhile');
    const what = whatOf(mitigation);
    const text = `Its lease was handed over: ${what}.`;
    await record(tx, { mitigation, by, now, kind: 'lease-owner', text, data: { to } });
    const told = `Mitigation ${found.id} is yours now: ${what}. \`/llm-incident lease\` shows until when.`;
    if (to !== by) await enqueue(tx, notice(incident.id, now, { text: told, mention: [to], inThread: true }));
    return { kind: 'handed-over', what };
  });
}

/** Proposes to take it back; if it is still on a day later, its owner is told again. */
export async function takeBackLease(
  flow: Flow,
  asked: LeaseQuestion,
): Promise<LeaseRefusal | { kind: 'asked'; proposed: Proposed }> {
  const found = await findAnswerable(flow, asked);
  if ('kind' in found) return found;
  const { incident, by } = asked;
  const proposed = await propose(flow, { incident, by, wanted: { undo: found.id } });
  if (proposed.kind !== 'proposed' && proposed.kind !== 'already-proposed')
    return { kind: 'asked', proposed };
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await postponeLease(tx, found.id, new Date(now.getTime() + 24 * HOUR_MS));
    await showAgain(tx, found, now);
  });
  return { kind: 'asked', proposed };
}

/** The mitigation of this incident that the question is about, if it is on and the asker may answer for it. */
async function findAnswerable(
  flow: Pick<Flow, 'db' | 'config' | 'chat' | 'log' | 'pager'>,
  { incident, mitigationId, by }: LeaseQuestion,
): Promise<Mitigation | LeaseRefusal> {
  const found = await findMitigation(flow.db, mitigationId);
  const isHere = found?.incident_id != null && (await isPartOf(flow.db, found.incident_id, incident.id));
  if (found === undefined || !isHere)
    return { kind: 'not-on', why: `There is no mitigation ${mitigationId} in ${nameOf(incident.id)}` };
  if (!IN_FORCE.includes(found.status)) return notOn(found, found.status);
  if (found.lease_until === null && found.kept_by === null)
    return notOn(found, 'what gave back; nothing of it stays on');
  const who = await mayAnswer(flow, { incident, mitigation: found });
  return who.includes(by) ? found : { kind: 'not-allowed', who };
}

/** Policy: its owner, those who may approve for the service, and the incident's commander answer for a lease. */
async function mayAnswer(
  flow: Pick<Flow, 'db' | 'config' | 'chat' | 'log' | 'pager'>,
  { incident, mitigation }: { incident: Incident; mitigation: Mitigation },
): Promise<string[]> {
  const people = [mitigation.lease_owner, incident.commander].filter((one) => one !== null);
  return [...new Set([...people, ...(await approversOf(flow, mitigation.service))])];
}

function notOn({ id }: Mitigation, why: string): LeaseRefusal {
  return { kind: 'not-on', why: `Mitigation ${id} is ${why}` };
}

const whatOf = ({ plan }: Mitigation) => describePlan(parsePlan(plan));

interface Said {
  mitigation: Mitigation;
  by: string;
  now: Date;
  kind: 'lease-kept' | 'lease-owner';
  text: string;
  data: Record<string, unknown>;
}

async function record(tx: Tx, { mitigation, by, now, kind, text, data }: Said): Promise<void> {
  const { id, incident_id: incidentId } = mitigation;
  const subject = `mitigation ${id}`;
  await audit(tx, { at: now, actor: by, action: `mitigation.${kind}`, subject, data });
  if (incidentId !== null) await addToTimeline(tx, { incidentId, at: now, kind, actor: by, text });
  await showAgain(tx, mitigation, now);
}
