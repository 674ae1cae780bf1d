import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { NewRow, RoomFile, Row } from '../db/schema.ts';

export interface RecordedMessage {
  channelId: string;
  ts: string;
  incidentId: number;
  threadTs: string | null;
  userId: string;
  text: string;
  files: RoomFile[];
  editedTs: string | null;
  saidAt: Date;
}

const ROWS_PER_STATEMENT = 400;

/**
 * Records messages of a room: an edit replaces the text, a late original never does, a deleted one stays deleted.
 * `recorded_at` is when a message was last seen to be there.
 */
export async function recordMessages(db: Db, messages: RecordedMessage[], recordedAt: Date): Promise<void> {
  for (let i = 0; i < messages.length; i += ROWS_PER_STATEMENT) {
    const rows = messages.slice(i, i + ROWS_PER_STATEMENT).map((message) => rowOf(message, recordedAt));
    const isNewer = sql<boolean>`excluded.edited_ts is not null or room_message.edited_ts is null`;
    const newer = (column: 'text' | 'files' | 'edited_ts') =>
      sql`case when ${isNewer} then ${sql.ref(`excluded.${column}`)} else ${sql.ref(`room_message.${column}`)} end`;
    await db
      .insertInto('room_message')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['channel_id', 'ts'])
          .doUpdateSet({
            text: newer('text') as RawBuilder<string>,
            files: newer('files') as RawBuilder<string>,
            edited_ts: newer('edited_ts') as RawBuilder<string | null>,
            recorded_at: recordedAt,
          })
          .where('room_message.deleted_at', 'is', null),
      )
      .execute();
  }
}

function rowOf(message: RecordedMessage, recordedAt: Date): NewRow<'room_message'> {
  return {
    channel_id: message.channelId,
    ts: message.ts,
    incident_id: message.incidentId,
    thread_ts: message.threadTs,
    user_id: message.userId,
    text: message.text,
    files: JSON.stringify(message.files),
    edited_ts: message.editedTs,
    deleted_at: null,
    said_at: message.saidAt,
    recorded_at: recordedAt,
  };
}

/** A deletion may overtake its message: then it leaves a mark that the message, when it comes, does not lift. */
export async function markDeleted(
  db: Db,
  deleted: Pick<RecordedMessage, 'channelId' | 'ts' | 'incidentId' | 'threadTs' | 'saidAt'>,
  at: Date,
): Promise<void> {
  const mark = { ...deleted, userId: 'unknown', text: '', files: [], editedTs: null };
  await db
    .insertInto('room_message')
    .values({ ...rowOf(mark, at), deleted_at: at })
    .onConflict((conflict) =>
      conflict.columns(['channel_id', 'ts']).doUpdateSet({ deleted_at: at, text: '', files: '[]' }),
    )
    .execute();
}

/**
 * Marks what a reading of the channel since `readFrom` no longer found, back to its oldest message; replies only where
 * the reading was whole.
 */
export async function markVanished(
  db: Db,
  read: { incidentId: number; oldestTs: string; readFrom: Date; at: Date; isWhole: boolean },
): Promise<void> {
  await db
    .updateTable('room_message')
    .$if(!read.isWhole, (query) => query.where('thread_ts', 'is', null))
    .set({ deleted_at: read.at, text: '', files: '[]' })
    .where('incident_id', '=', read.incidentId)
    .where('deleted_at', 'is', null)
    .where('recorded_at', '<', read.readFrom)
    .where('ts', '>=', read.oldestTs)
    .execute();
}

/** When anything of the room was last recorded; null before the first message. */
export async function lastRecordedAt(db: Db, incidentId: number): Promise<Date | null> {
  const row = await db
    .selectFrom('room_message')
    .select((column) => column.fn.max('recorded_at').as('at'))
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  return row?.at ?? null;
}

const ROWS_PER_PAGE = 1_000;

/** By time. Read in pages, for the rows of a long room at once would hold up everything else that the bot does. */
export async function messagesOf(db: Db, incidentId: number): Promise<Row<'room_message'>[]> {
  const all: Row<'room_message'>[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await db
      .selectFrom('room_message')
      .selectAll()
      .where('incident_id', '=', incidentId)
      .$if(last !== undefined, (query) =>
        query.where(sql<boolean>`(ts, channel_id) > (${last?.ts}, ${last?.channel_id})`),
      )
      .orderBy('ts')
      .orderBy('channel_id')
      .limit(ROWS_PER_PAGE)
      .execute();
    all.push(...page);
    if (page.length < ROWS_PER_PAGE) return all;
  }
}

/** The files of the messages that are still there, oldest first, with who shared them. */
export async function sharedFilesOf(
  db: Db,
  incidentId: number,
): Promise<Pick<Row<'room_message'>, 'user_id' | 'files'>[]> {
  return db
    .selectFrom('room_message')
    .select(['user_id', 'files'])
    .where('incident_id', '=', incidentId)
    .where('deleted_at', 'is', null)
    .where(sql<boolean>`jsonb_array_length(files) > 0`)
    .orderBy('ts')
    .execute();
}

/** Where a message of the bot's own is, by the key that it was posted under. */
export async function findPosted(db: Db, key: string): Promise<Row<'posted_message'> | undefined> {
  return db.selectFrom('posted_message').selectAll().where('key', '=', key).executeTakeFirst();
}

export async function rememberPosted(
  db: Db,
  posted: { key: string; incidentId: number; channelId: string; ts: string; at: Date },
): Promise<void> {
  await db
    .insertInto('posted_message')
    .values({
      key: posted.key,
      incident_id: posted.incidentId,
      channel_id: posted.channelId,
      ts: posted.ts,
      posted_at: posted.at,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
}

/** The message is gone; the next one under its key is posted anew. */
export async function dropPosted(db: Db, key: string): Promise<void> {
  await db.deleteFrom('posted_message').where('key', '=', key).execute();
}

/** The ts of every message that the bot itself posted for an incident. */
export async function postedTs(db: Db, incidentId: number): Promise<Set<string>> {
  const rows = await db
    .selectFrom('posted_message')
    .select('ts')
    .where('incident_id', '=', incidentId)
    .execute();
  return new Set(rows.map((row) => row.ts));
}
