import { messagesOf, type RecordedMessage, recordMessages } from '../incident/room-store.ts';
import type { Flow } from './flow.ts';
import type { ChannelMessage } from './ports.ts';
import { timeOf } from './record-room.ts';

const BATCH = 200;

interface Room {
  incidentId: number;
  channelId: string;
}

/**
 * Reads the whole channel and every thread into the record. A thread that is recorded whole is not read again, so a
 * run that a rate limit cut short goes on where it stopped.
 */
export async function collectHistory(flow: Pick<Flow, 'db' | 'chat' | 'clock'>, room: Room): Promise<void> {
  const replies = await recordedReplies(flow, room);
  const roots = new Map<string, number>();
  for (const root of replies.keys()) roots.set(root, 0);
  for await (const batch of inBatches(flow.chat.history(room.channelId))) {
    for (const message of batch) {
      if (message.replyCount > 0) roots.set(message.ts, message.replyCount);
    }
    await record(flow, room, batch);
  }
  for (const [root, replyCount] of roots) {
    if (replyCount > 0 && (replies.get(root) ?? 0) >= replyCount) continue;
    for await (const batch of inBatches(flow.chat.thread(room.channelId, root)))
      await record(flow, room, batch);
  }
}

/** How many replies of each thread are recorded already. */
async function recordedReplies(flow: Pick<Flow, 'db'>, room: Room): Promise<Map<string, number>> {
  const replies = new Map<string, number>();
  for (const { thread_ts } of await messagesOf(flow.db, room.incidentId)) {
    if (thread_ts !== null) replies.set(thread_ts, (replies.get(thread_ts) ?? 0) + 1);
  }
  return replies;
}

async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function record(flow: Pick<Flow, 'db' | 'clock'>, room: Room, batch: ChannelMessage[]): Promise<void> {
  const rows: RecordedMessage[] = batch.map(({ ts, threadTs, userId, text, editedTs, files }) => ({
    ...room,
    ts,
    threadTs,
    userId,
    text,
    editedTs,
    files,
    saidAt: timeOf(flow, ts),
  }));
  await recordMessages(flow.db, rows, flow.clock.now());
}
