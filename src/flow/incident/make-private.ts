import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { enqueue, type Job, type NewJob } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { acknowledgerOf } from '../../incident/people-store.ts';
import {
  forgetPosted,
  formerRoomOf,
  leaveRoom,
  postedIn,
  turnPrivate,
  waitBehind,
} from '../../incident/private-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { invitePeople, openRoom, refreshCard, roomLane } from '../effects.ts';
import type { Flow } from '../flow.ts';
import type { PostedRef, RoomMessage } from '../ports.ts';
import { showAsks } from '../stakeholders/ask-stakeholders.ts';

export const CLOSE_FORMER_ROOM = 'close-former-room';

export type MadePrivate = { kind: 'done'; hadRoom: boolean } | { kind: 'already' };

/**
 * Turns an incident private. Slack lets no bot convert a channel, so a private room is opened with those who must act,
 * and the public one is left: what the bot said there is overwritten, and nothing is posted or read there any more.
 * Policy: there is no way back.
 */
export async function makePrivate(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by }: { incident: Incident; by: string },
): Promise<MadePrivate> {
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const before = await turnPrivate(tx, incident.id);
    if (before === undefined) return { kind: 'already' };
    const { id: incidentId } = incident;
    const text = 'Made private; it moves to a private room.';
    await addToTimeline(tx, { incidentId, at: now, kind: 'private', actor: by, text });
    await audit(tx, { at: now, actor: by, action: 'incident.private', subject: nameOf(incidentId) });
    await move(tx, { incident, oldRoomId: before.channelId, by, now });
    return { kind: 'done', hadRoom: before.channelId !== null };
  });
}

async function move(
  tx: Tx,
  { incident, oldRoomId, by, now }: { incident: Incident; oldRoomId: string | null; by: string; now: Date },
): Promise<void> {
  const { id, commander, scribe, comms } = incident;
  const working = [by, commander, scribe, comms, await acknowledgerOf(tx, id)];
  const people = [...new Set(working.filter((one) => one !== null))];
  // Without a room yet, the opening that is on its way makes a private one.
  if (oldRoomId === null) return enqueue(tx, showAsks(id, now));
  await leaveRoom(tx, { incidentId: id, channelId: oldRoomId, by, at: now });
  await enqueue(tx, [
    closeFormerRoom(id, oldRoomId, now),
    { ...openRoom(id, now), dedupeKey: `open-room:${id}:private` },
    invitePeople(id, people, now),
    showAsks(id, now),
    refreshCard(id, now),
  ]);
  // What waits to be said has no room until the new one is there.
  await waitBehind(tx, { lane: roomLane(id), kind: CLOSE_FORMER_ROOM });
}

function closeFormerRoom(incidentId: number, channelId: string, now: Date): NewJob {
  return {
    kind: CLOSE_FORMER_ROOM,
    payload: { incidentId, channelId },
    runAt: now,
    // Behind what is being said there at this moment, and before the new room is opened.
    lane: roomLane(incidentId),
    dedupeKey: `${CLOSE_FORMER_ROOM}:${channelId}`,
  };
}

const closing = z.object({ incidentId: z.number(), channelId: z.string() });

/** Overwrites what the bot said in the public room, its threads included, and says once that it moved. */
export async function closeRoom(flow: Flow, job: Job): Promise<void> {
  const { incidentId, channelId } = closing.parse(job.payload);
  const left = await formerRoomOf(flow.db, channelId);
  if ((await findIncident(flow.db, incidentId))?.private !== true || left === undefined) return;
  const gone = { kind: 'notice' as const, text: 'Moved to a private room.', mention: [] };
  await forgetPosted(flow.db, { incidentId, channelId });
  for (const { ts } of await postedIn(flow.db, { incidentId, channelId }))
    await overwrite(flow, { channelId, ts }, gone);
  const text = `${nameOf(incidentId)} is private now and moved to a room of its own. Please write nothing about it here. Whoever must take part is let in by the people there.`;
  const message = { kind: 'notice' as const, text, mention: [] };
  await flow.chat.post({ key: `moved:${incidentId}`, channelId, message, retried: job.attempts > 1 });
}

/** One that somebody deleted keeps no other from being overwritten. */
async function overwrite(flow: Flow, ref: PostedRef, message: RoomMessage): Promise<void> {
  try {
    await flow.chat.edit(ref, message);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ ...ref, error: thrown.message }, 'a message in a public room could not be overwritten');
  }
}
