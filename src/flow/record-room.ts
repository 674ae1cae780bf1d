import { findByChannel } from '../incident/incident-store.ts';
import { markDeleted, recordMessages } from '../incident/room-store.ts';
import type { Flow } from './flow.ts';
import type { ChannelMessage } from './ports.ts';

/** Records a message or an edit in a room as it happens; other channels are none of our business. */
export async function recordMessage(
  flow: Pick<Flow, 'db' | 'clock'>,
  { channelId, message }: { channelId: string; message: ChannelMessage },
): Promise<void> {
  const incident = await findByChannel(flow.db, channelId);
  if (incident === undefined) return;
  const saidAt = timeOf(flow, message.ts);
  await recordMessages(
    flow.db,
    [{ ...message, channelId, incidentId: incident.id, saidAt }],
    flow.clock.now(),
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
