import { addHours } from 'date-fns';
import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { LONGEST_SNOOZE_HOURS } from '../../postmortem/duty.ts';
import { findDuty, setNextReminder } from '../../postmortem/duty-store.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';

/** The latest time to which its reminders may be put off; null where nobody must write one. */
export async function latestSnooze(flow: Pick<Flow, 'db'>, incidentId: number): Promise<Date | null> {
  const duty = await findDuty(flow.db, incidentId);
  return duty === undefined ? null : addHours(duty.due_at, LONGEST_SNOOZE_HOURS);
}

export type Snoozed =
  | { kind: 'snoozed'; until: Date }
  | { kind: 'no-reason' | 'no-hours' }
  /** The latest time to which it may be put off. */
  | { kind: 'too-long'; latest: Date }
  | { kind: 'not-allowed'; who: string[] }
  | { kind: 'not-possible'; status: Incident['status'] };

/**
 * Lets the reminders rest for so many hours; when it is due does not move. Policy: its owner, the commander and the lead
 * may, with a reason, and not beyond 72 hours after it is due.
 */
export async function snoozePostmortem(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  asked: { incident: Incident; by: string; hours: number; reason: string },
): Promise<Snoozed> {
  const { incident, by, hours } = asked;
  const reason = asked.reason.trim();
  if (!(hours > 0)) return { kind: 'no-hours' };
  if (reason === '') return { kind: 'no-reason' };
  const now = flow.clock.now();
  const { id: incidentId } = incident;
  return flow.db.transaction().execute(async (tx): Promise<Snoozed> => {
    const current = (await lockIncident(tx, incidentId)) ?? incident;
    const duty = await findDuty(tx, incidentId);
    if (current.status !== 'resolved' || duty === undefined)
      return { kind: 'not-possible', status: current.status };
    const leads = flow.config.contacts.engineering_lead;
    const who = [duty.owner, current.commander, ...leads].filter((id) => id !== null);
    if (who.length > 0 && !who.includes(by)) return { kind: 'not-allowed', who: [...new Set(who)] };
    const until = addHours(now, hours);
    const latest = addHours(duty.due_at, LONGEST_SNOOZE_HOURS);
    if (Number.isNaN(until.getTime()) || until > latest) return { kind: 'too-long', latest };
    await setNextReminder(tx, incidentId, until);
    const text = `Put the reminders of the post-mortem off until ${until.toISOString()}: ${reason}`;
    const data = { until: until.toISOString(), reasonDigest: digestOf(reason) };
    await addToTimeline(tx, { incidentId, at: now, kind: 'snoozed', actor: by, text, data });
    await audit(tx, { at: now, actor: by, action: 'postmortem.snoozed', subject: nameOf(incidentId), data });
    await enqueue(tx, refreshCard(incidentId, now));
    return { kind: 'snoozed', until };
  });
}
