import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type Incident, isPerson } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { findPosted, rememberPosted } from '../../incident/room-store.ts';
import { STAKEHOLDER_ROLES, type StakeholderAsk, stateOf } from '../../incident/stakeholder.ts';
import { asksOf, postedUnder } from '../../incident/stakeholder-store.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import type { IncidentCard } from '../room/incident-card.ts';
import { peopleToReach } from './contacts.ts';
import type { StakeholderView } from './stakeholder-view.ts';

const shown = z.object({ incidentId: z.number() });
const asked = shown.extend({
  role: z.enum(['legal', 'compliance', 'comms', 'product']),
  contact: z.string(),
});

const keyOf = (ask: Pick<StakeholderAsk, 'incident_id' | 'role'>) => `ask:${ask.incident_id}:${ask.role}:`;

/** Asks one contact, each member of a group, in a direct message; said once, and edited when it changes. */
export async function askStakeholder(flow: Flow, job: Job): Promise<void> {
  const { incidentId, role, contact } = asked.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const ask = (await asksOf(flow.db, incidentId)).find((one) => one.role === role);
  if (incident === undefined || ask === undefined) return;
  const message = { kind: 'stakeholder' as const, ask: viewOf(incident, ask) };
  const missed: string[] = [];
  for (const userId of await peopleToReach(flow, [contact])) {
    const key = `${keyOf(ask)}${userId}`;
    try {
      if ((await findPosted(flow.db, key)) !== undefined) continue;
      const channelId = await flow.chat.directChannel(userId);
      const ref = await flow.chat.post({ key, channelId, message, retried: job.attempts > 1 });
      const at = flow.clock.now();
      await rememberPosted(flow.db, { key, incidentId, channelId: ref.channelId, ts: ref.ts, at });
    } catch (thrown) {
      // One who cannot be written to keeps nobody else from being asked.
      if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
      flow.log.warn(
        { incidentId, role, userId, error: messageOf(thrown) },
        'a stakeholder could not be asked',
      );
      missed.push(userId);
    }
  }
  await recordAsk(flow, { ask, contact, missed });
}

/** Who could not be written to is on record; the next step of the escalation calls somebody all the same. */
async function recordAsk(
  flow: Pick<Flow, 'db' | 'clock' | 'chat' | 'log'>,
  { ask, contact, missed }: { ask: StakeholderAsk; contact: string; missed: readonly string[] },
): Promise<void> {
  const person = isPerson(contact) ? await nameOrId(flow, contact) : contact;
  const failed = missed.length === 0 ? '' : ` Not reached in Slack: ${missed.join(', ')}.`;
  const text = `Asked ${ask.role} to acknowledge: ${person}.${failed}`;
  await addToTimeline(flow.db, {
    incidentId: ask.incident_id,
    at: flow.clock.now(),
    kind: 'asked',
    actor: null,
    text,
    data: { role: ask.role },
  });
}

/** Edits every direct message of an incident's asks. */
export async function refreshAsks(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = shown.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) return;
  for (const ask of await asksOf(flow.db, incidentId)) {
    const message = { kind: 'stakeholder' as const, ask: viewOf(incident, ask) };
    for (const posted of await postedUnder(flow.db, { incidentId, prefix: keyOf(ask) }))
      await editOne(flow, { channelId: posted.channel_id, ts: posted.ts }, message);
  }
}

/** Policy: the message of a private incident is a link and nothing else. */
function viewOf(incident: Incident, ask: StakeholderAsk): StakeholderView {
  const isNone = incident.status === 'declined' || incident.status === 'merged';
  const state = stateOf(ask);
  return {
    incidentId: incident.id,
    role: ask.role,
    about: incident.private ? null : { ...incident, isDrill: incident.drill },
    roomId: incident.channel_id,
    dueAt: ask.due_at,
    state: isNone && state === 'asks' ? 'over' : state,
    by: ask.acknowledged_by,
    at: ask.acknowledged_at,
  };
}

/** The asks of an incident as its card shows them. */
export async function stakeholdersOn(
  flow: Pick<Flow, 'db'>,
  incidentId: number,
): Promise<IncidentCard['stakeholders']> {
  const asks = await asksOf(flow.db, incidentId);
  const inOrder = STAKEHOLDER_ROLES.flatMap((role) => asks.filter((ask) => ask.role === role));
  return inOrder.map((ask) => ({
    role: ask.role,
    state: stateOf(ask),
    dueAt: ask.due_at,
    by: ask.acknowledged_by,
    at: ask.acknowledged_at,
    isLate: ask.breached_at !== null,
  }));
}

/** One message that can be edited no more, as of somebody who left, keeps none of the others from it. */
async function editOne(
  flow: Pick<Flow, 'chat' | 'log'>,
  ref: { channelId: string; ts: string },
  message: Parameters<Flow['chat']['edit']>[1],
): Promise<void> {
  try {
    await flow.chat.edit(ref, message);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ ...ref, error: messageOf(thrown) }, 'a message to a stakeholder could not be edited');
  }
}
