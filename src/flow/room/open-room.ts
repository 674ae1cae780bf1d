import { z } from 'zod';
import { enqueue, type Job, type NewJob, wasBegun } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type Incident, isPerson, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident, setRoom } from '../../incident/incident-store.ts';
import { keepTopic } from '../../incident/room-card-store.ts';
import { redact } from '../../redaction.ts';
import { invitePeople, showTree } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { letIn } from '../incident/invite-people.ts';
import { readApprovers } from '../mitigate/approvers.ts';
import { readPeople } from '../stakeholders/contacts.ts';
import { loadCard } from './card.ts';
import { loadContext } from './context.ts';
import { present } from './present.ts';
import { showChart } from './push-effects.ts';
import { topicOf } from './room-topic.ts';
import { followDigest } from './show-digest.ts';

const payload = z.object({
  incidentId: z.number(),
  announceTo: z.object({ channelId: z.string(), userId: z.string() }).optional(),
});

/** Opens the incident's channel, invites those who must act, and posts the card with what is known in its thread. */
export async function openRoom(flow: Flow, job: Job): Promise<void> {
  const { incidentId, announceTo } = payload.parse(job.payload);
  const retried = job.attempts > 1;
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const channelId = incident.channel_id ?? (await createRoom(flow, incident, wasBegun(job)));
  // The card first: whom to invite has to be asked elsewhere, and a phone shows the card all the same.
  const card = await loadCard(flow, incidentId);
  await present(flow, { incidentId, key: cardKey(incidentId), message: { kind: 'card', card }, retried });
  await followDigest(flow, incidentId);
  const { people, unread } = await peopleFor(flow, incident);
  await letIn(flow, { incidentId, people });
  const context = await loadContext(flow, incidentId);
  const thread = { incidentId, key: `context:${incidentId}`, under: cardKey(incidentId), retried };
  if (context !== null) await present(flow, { ...thread, message: { kind: 'context', context } });
  const now = flow.clock.now();
  await enqueue(flow.db, [
    showChart(incidentId, now),
    showTree(incidentId, null, now),
    ...(unread.length === 0 ? [] : [inviteLater(incidentId, unread, now)]),
  ]);
  if (announceTo !== undefined) await announce(flow, { ...announceTo, incidentId, roomId: channelId });
}

export const cardKey = (incidentId: number) => `card:${incidentId}`;

/** A channel's name is read by everybody: what is redacted in a title leaves no trace in it. */
const openly = (title: string) => redact(title).replaceAll(/\[(?:email|phone|card|iban|id|key)\]/g, ' ');

async function createRoom(flow: Flow, incident: Incident, retried: boolean): Promise<string> {
  const topic = topicOf(incident);
  const room = await flow.chat.createRoom({
    incidentId: incident.id,
    // A rule's title is the same for every service; a person's says what they mean.
    title: incident.source === 'rule' ? `${incident.service} ${incident.title}` : openly(incident.title),
    date: incident.created_at,
    private: incident.private,
    topic,
    retried,
  });
  await flow.db.transaction().execute(async (tx) => {
    await setRoom(tx, incident.id, room);
    const at = flow.clock.now();
    await keepTopic(tx, { incidentId: incident.id, topic, at });
    const text = `Room #${room.channelName} opened.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'room', actor: null, text });
  });
  return room.channelId;
}

/** The declarer, the owner and approvers; for safety, legal, compliance and comms as well. */
async function peopleFor(flow: Flow, incident: Incident): Promise<{ people: string[]; unread: string[] }> {
  const owner = serviceConfig(flow, incident.service)?.owner;
  const { legal, compliance, comms } = flow.config.contacts;
  const approvers = await readApprovers(flow, incident.service);
  const contacts = incident.category === 'safety' ? [...legal, ...compliance, ...comms] : [];
  const asked = await readPeople(flow, contacts);
  const people = new Set([
    ...(isPerson(incident.declared_by) ? [incident.declared_by] : []),
    ...(owner === undefined ? [] : [owner]),
    ...approvers.people,
    ...asked.people,
  ]);
  const groups = [...approvers.unread, ...asked.unread].filter((id) => id.startsWith('S'));
  return { people: [...people], unread: [...new Set(groups)] };
}

/** Groups that Slack would not show at that moment; in no lane, because no message waits for them. */
function inviteLater(incidentId: number, groups: readonly string[], now: Date): NewJob {
  const { kind, payload, runAt } = invitePeople(incidentId, groups, now);
  return { kind, payload, runAt, dedupeKey: `invite-later:${incidentId}` };
}

/** A courtesy to whoever declared it elsewhere; the bot may not be in that channel. */
async function announce(
  flow: Flow,
  to: { channelId: string; userId: string; incidentId: number; roomId: string },
): Promise<void> {
  try {
    const text = `${nameOf(to.incidentId)} is open in <#${to.roomId}>.`;
    await flow.chat.whisper({ channelId: to.channelId, userId: to.userId, text });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.info({ error: messageOf(thrown) }, 'the declarer could not be told where the room is');
  }
}
