import type { Db } from '../../db/database.ts';
import type { Row } from '../../db/schema.ts';
import { presenceOf } from '../../incident/presence-store.ts';
import { messagesOf, postedTs } from '../../incident/room-store.ts';
import type { RoomMessage, TimelineEvent } from '../../postmortem/record.ts';
import type { Flow } from '../flow.ts';
import { markedMessages } from './timeline.ts';

/** What people wrote, and what they marked; what the bot itself posted is in the machine's entries already. */
export async function roomMessages(
  flow: Pick<Flow, 'db' | 'chat'>,
  incidentId: number,
): Promise<RoomMessage[]> {
  const posted = await postedTs(flow.db, incidentId);
  const marked = new Map(
    (await markedMessages(flow.db, incidentId)).map((one) => [`${one.channelId} ${one.ts}`, one]),
  );
  const isOwn = (row: Row<'room_message'>) =>
    posted.has(row.ts) || (row.user_id === flow.chat.botUserId && row.files.length > 0);
  const recorded = await messagesOf(flow.db, incidentId);
  const rows = recorded.filter((row) => marked.has(`${row.channel_id} ${row.ts}`) || !isOwn(row));
  const inRoom = rows.map((row) => ({
    ts: row.ts,
    at: row.said_at,
    threadTs: row.thread_ts ?? undefined,
    userId: row.user_id,
    text: row.text,
    editedTs: row.edited_ts ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    files: row.files.map(({ id, name, permalink }) => ({ id, name, permalink: permalink ?? undefined })),
    permalink: marked.get(`${row.channel_id} ${row.ts}`)?.permalink ?? undefined,
  }));
  for (const row of recorded) marked.delete(`${row.channel_id} ${row.ts}`);
  const elsewhere = [...marked.values()].map(({ ts, saidAt, author, text, permalink }) => ({
    ts,
    at: saidAt,
    userId: author,
    text,
    files: [],
    permalink: permalink ?? undefined,
  }));
  return [...inRoom, ...elsewhere];
}

/** Who came into the room and who left it. */
export async function presenceEvents(db: Db, incidentId: number): Promise<TimelineEvent[]> {
  const rows = await presenceOf(db, incidentId);
  return rows.map(({ at, kind, user_id: actor }) => ({ at, kind: 'room', text: `${kind} the room`, actor }));
}
