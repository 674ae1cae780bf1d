import { enqueue } from '../../db/jobs.ts';
import { LIVE } from '../../incident/incident.ts';
import { findByChannel } from '../../incident/incident-store.ts';
import { notePresence } from '../../incident/presence-store.ts';
import { lastRecordedAt, markDeleted, recordMessages } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';
import type { ChannelMessage } from '../ports.ts';
import { GAP_MS, LATE_MS, reconcile } from './gap.ts';

/** Records a message or an edit in a room as it happens; other channels are none of our business. */
export async function recordMessage(
  flow: Pick<Flow, 'db' | 'clock'>,
  { channelId, message }: { channelId: string; message: ChannelMessage },
): Promise<void> {
  const incident = await findByChannel(flow.db, channelId);
  if (incident === undefined) return;
  const room = { channelId, incidentId: incident.id };
  if (message.presence !== undefined) return recordPresence(flow, room, message);
  const saidAt = timeOf(flow, message.ts);
  const now = flow.clock.now();
  const before = await lastRecordedAt(flow.db, incident.id);
  await recordMessages(flow.db, [{ ...message, ...room, saidAt }], now);
  const isLate = message.editedTs === null && now.getTime() - saidAt.getTime() > LATE_MS;
  const isAfterGap = before !== null && now.getTime() - before.getTime() > GAP_MS;
  if ((isLate || isAfterGap) && LIVE.includes(incident.status))
    await enqueue(flow.db, reconcile(incident.id, now));
}

/** Records who came into the room or left it; anything else that was said is no business of this. */
export async function recordPresence(
  flow: Pick<Flow, 'db' | 'clock'>,
  room: { channelId: string; incidentId: number },
  { presence, userId, ts }: Pick<ChannelMessage, 'presence' | 'userId' | 'ts'>,
): Promise<void> {
  if (presence === undefined) return;
  await notePresence(flow.db, { ...room, userId, kind: presence, ts, at: timeOf(flow, ts) });
}

/** The same from an event that tells only that. */
export async function recordComing(
  flow: Pick<Flow, 'db' | 'clock'>,
  seen: { channelId: string; userId: string; kind: 'joined' | 'left'; ts: string },
): Promise<void> {
  const incident = await findByChannel(flow.db, seen.channelId);
  if (incident === undefined) return;
  await recordPresence(
    flow,
    { channelId: seen.channelId, incidentId: incident.id },
    { ...seen, presence: seen.kind },
  );
}

/** When a message was said: Slack stamps the real time, the timeline follows the clock, which tests and drills move. */
export function timeOf(flow: Pick<Flow, 'clock'>, ts: string): Date {
  const movedMs = flow.clock.now().getTime() - Date.now();
  return new Date(Number(ts) * 1000 + movedMs);
}

/** A deleted message keeps its place and loses its text. */
export async function recordDeletion(
  flow: Pick<Flow, 'db' | 'clock'>,
  deleted: { channelId: string; ts: string; threadTs: string | null },
): Promise<void> {
  const incident = await findByChannel(flow.db, deleted.channelId);
  if (incident === undefined) return;
  const saidAt = timeOf(flow, deleted.ts);
  await markDeleted(flow.db, { ...deleted, incidentId: incident.id, saidAt }, flow.clock.now());
}
