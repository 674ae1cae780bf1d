import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { concernsLead, dueInWords, nextReminderAt } from '../../postmortem/duty.ts';
import { type Duty, dueReminders, findDuty, takeReminder } from '../../postmortem/duty-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { remindOwner } from './duty-effects.ts';
import { dutyState } from './duty-state.ts';
import type { DutyView } from './duty-view.ts';

/**
 * Reminds of every post-mortem that is not done, each time once however long the bot was away. Policy: its owner, and
 * from the second day that it is overdue the engineering lead as well; where nobody owns it, the lead at once.
 */
export async function remindOwners(flow: Pick<Flow, 'db' | 'clock' | 'config'>): Promise<void> {
  const now = flow.clock.now();
  for (const duty of await dueReminders(flow.db, now))
    await flow.db.transaction().execute((tx) => remind(flow, tx, { duty, now }));
}

async function remind(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { duty, now }: { duty: Duty; now: Date },
): Promise<void> {
  const { incident_id: incidentId, due_at: dueAt, next_at: from, owner } = duty;
  const incident = await findIncident(tx, incidentId);
  const isOpen = incident?.status === 'resolved';
  const nextAt = isOpen ? nextReminderAt(dueAt, now) : null;
  if (from === null || !(await takeReminder(tx, { incidentId, from, nextAt }))) return;
  if (!isOpen || (await isDone(flow, tx, incident))) return;
  const leads = owner === null || concernsLead(dueAt, now) ? flow.config.contacts.engineering_lead : [];
  const people = [...new Set([...(owner === null ? [] : [owner]), ...leads])];
  const jobs = people.map((person) =>
    remindOwner({ incidentId, person, isLead: person !== owner, dueAt: from }, now),
  );
  const told = people.length === 0 ? 'Nobody is known who could be reminded.' : 'Who owns it was reminded.';
  const text = `The post-mortem of ${nameOf(incidentId)} ${dueInWords(dueAt, now)}. ${told}`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'reminder', actor: null, text, data: { people } });
  await enqueue(tx, [...jobs, notice(incidentId, now, { text }), refreshCard(incidentId, now)]);
}

/** Policy: what is done, or signed off by who must sign it, reminds nobody. */
async function isDone(flow: Pick<Flow, 'config'>, tx: Tx, incident: Incident): Promise<boolean> {
  const { left, unsigned } = await dutyState(flow, tx, incident);
  return left.length === 0 || unsigned.length === 0;
}

const payload = z.object({ incidentId: z.number(), person: z.string(), isLead: z.boolean() });

/** Writes to one person. Policy: of a private incident a direct message is a link and says nothing of what it is. */
export async function sendReminder(flow: Flow, job: Job): Promise<void> {
  const { incidentId, person, isLead } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const duty = await findDuty(flow.db, incidentId);
  if (incident?.status !== 'resolved' || duty === undefined) return;
  const { left } = await dutyState(flow, flow.db, incident);
  if (left.length === 0) return;
  const state = dueInWords(duty.due_at, flow.clock.now());
  const view = dutyView(incident, { state, owner: isLead ? duty.owner : null, left });
  const key = `remind:${job.id}`;
  try {
    await writeTo(flow, { person, key, duty: view, retried: job.attempts > 1 });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, person, error: messageOf(thrown) }, 'a reminder could not be delivered');
    const text = `Somebody could not be reminded of the post-mortem by a direct message. \`/llm-incident postmortem owner @PERSON\` hands it over.`;
    await enqueue(flow.db, notice(incidentId, flow.clock.now(), { text, aloud: true }));
  }
}

export function dutyView(
  incident: Incident,
  { state, owner, left }: Pick<DutyView, 'state' | 'owner' | 'left'>,
): DutyView {
  const { id: incidentId, title, channel_id: roomId } = incident;
  return { incidentId, state, title: incident.private ? null : title, roomId, owner, left };
}

/** A direct message about somebody's duty. */
export async function writeTo(
  flow: Pick<Flow, 'chat'>,
  message: { person: string; key: string; duty: DutyView; retried: boolean },
): Promise<void> {
  const { person, key, duty, retried } = message;
  const channelId = await flow.chat.directChannel(person);
  await flow.chat.post({ key, channelId, message: { kind: 'duty', duty }, retried });
}
