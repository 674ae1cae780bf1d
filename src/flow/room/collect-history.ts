import { ExternalError } from '../../errors.ts';
import { markVanished, messagesOf, type RecordedMessage, recordMessages } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';
import type { ChannelMessage } from '../ports.ts';
import { recordPresence, timeOf } from './record-room.ts';

const BATCH = 200;

interface Room {
  incidentId: number;
  channelId: string;
  /** When this reading was asked for: what was recorded since then need not be read again. */
  readFrom: Date;
  /** `new`: only threads with replies that are not recorded yet, for a reading in between. */
  threads?: 'all' | 'new';
}

/** Slack has no such thread any more. */
const GONE = new Set(['thread_not_found', 'message_not_found']);

/**
 * Reads the whole channel and every thread into the record, as they are now. A thread that this reading has recorded
 * whole is not read again, so a run that a rate limit cut short goes on where it stopped.
 */
export async function collectHistory(flow: Pick<Flow, 'db' | 'chat' | 'clock'>, room: Room): Promise<void> {
  const { replies, roots } = await recordedThreads(flow, room);
  let oldestTs: string | null = null;
  for await (const batch of inBatches(flow.chat.history(room.channelId))) {
    for (const message of batch) {
      oldestTs = message.ts;
      if (message.replyCount > 0) roots.set(message.ts, message.replyCount);
    }
    await record(flow, room, batch);
  }
  for (const [root, replyCount] of roots) {
    if (replyCount > 0 && (replies.get(root) ?? 0) >= replyCount) continue;
    await readThread(flow, room, root);
  }
  if (oldestTs === null) return;
  const isWhole = room.threads !== 'new';
  await markVanished(flow.db, { ...room, oldestTs, isWhole, at: flow.clock.now() });
}

/** Roots that are known from recorded replies, and how many of those this reading has recorded already. */
async function recordedThreads(
  flow: Pick<Flow, 'db'>,
  room: Room,
): Promise<{ replies: Map<string, number>; roots: Map<string, number> }> {
  const replies = new Map<string, number>();
  const roots = new Map<string, number>();
  for (const { thread_ts, recorded_at, deleted_at } of await messagesOf(flow.db, room.incidentId)) {
    if (thread_ts === null) continue;
    roots.set(thread_ts, 0);
    const isRead = (room.threads === 'new' || recorded_at >= room.readFrom) && deleted_at === null;
    if (isRead) replies.set(thread_ts, (replies.get(thread_ts) ?? 0) + 1);
  }
  return { replies, roots };
}

async function readThread(
  flow: Pick<Flow, 'db' | 'chat' | 'clock'>,
  room: Room,
  root: string,
): Promise<void> {
  try {
    const thread = flow.chat.thread(room.channelId, root);
    for await (const batch of inBatches(thread)) await record(flow, room, batch);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || !GONE.has(thrown.code ?? '')) throw thrown;
  }
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
  for (const message of batch) await recordPresence(flow, room, message);
  const said = batch.filter(({ presence }) => presence === undefined);
  const rows: RecordedMessage[] = said.map(({ ts, threadTs, userId, text, editedTs, files }) => ({
    incidentId: room.incidentId,
    channelId: room.channelId,
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
