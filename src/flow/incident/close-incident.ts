import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { addToTimeline, lockIncident, moveStatus, reach } from '../../incident/incident-store.ts';
import { moveArchive, setNextReminder } from '../../postmortem/duty-store.ts';
import type { Flow } from '../flow.ts';
import { showPostmortem } from '../learn/duty-effects.ts';
import { dutyState } from '../learn/duty-state.ts';
import { leadsOf } from '../learn/leads.ts';
import { isKept, type StillOn, stillOn } from '../mitigate/still-on.ts';
import { type Ended, type Ending, notPossible, record } from './end-incident.ts';

export type Closed =
  | Ended
  | { kind: 'still-on'; mitigations: StillOn[] }
  /** What must be done before; the lead may close it all the same. */
  | { kind: 'not-done'; left: string[] }
  | { kind: 'not-allowed'; who: string[] };

type Closing = Ending & { anyway: boolean };

/**
 * The post-mortem is done; its reminders stop. Policy: it closes when each mitigation that is in force is kept on
 * purpose, with a reason (the leases of those that are kept until a time run on), and when the post-mortem is done, or
 * when the engineering lead says, with a reason, that it never will be.
 */
export async function close(flow: Pick<Flow, 'db' | 'clock' | 'config'>, closing: Closing): Promise<Closed> {
  const now = flow.clock.now();
  const { incident, by, anyway } = closing;
  const leads = leadsOf(flow, incident);
  if (anyway && leads.length > 0 && !leads.includes(by)) return { kind: 'not-allowed', who: leads };
  return flow.db.transaction().execute(async (tx) => {
    const current = await lockIncident(tx, incident.id);
    if (current?.status !== 'resolved') return notPossible(tx, incident);
    const on = (await stillOn(tx, { incidentId: incident.id })).filter((one) => !isKept(one, now));
    if (on.length > 0) return { kind: 'still-on', mitigations: on };
    const { left } = await dutyState(flow, tx, current);
    if (left.length > 0 && !anyway) return { kind: 'not-done', left };
    await end(flow, tx, { ...closing, now, left });
    return { kind: 'done' };
  });
}

async function end(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { left, ...closing }: Closing & { now: Date; left: readonly string[] },
): Promise<void> {
  const { incident, by, now } = closing;
  const { id: incidentId } = incident;
  await moveStatus(tx, { id: incidentId, from: ['resolved'], to: 'closed' });
  await reach(tx, { incidentId, name: 'closed', at: now, recordedAt: now, by });
  await setNextReminder(tx, incidentId, null);
  await record(tx, { ...closing, to: 'closed' });
  if (left.length > 0) {
    const text = `Closed it before its post-mortem was done. Not done: ${left.join(' ')}`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'closed-anyway', actor: by, text });
  }
  const days = flow.config.archive_after_days;
  if (days !== undefined) {
    const at = new Date(now.getTime() + days * 24 * 3_600_000);
    await moveArchive(tx, { incidentId, from: [null], to: 'asked', at });
  }
  await enqueue(tx, showPostmortem(incidentId, now));
}
