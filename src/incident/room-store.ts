import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export interface RecordedMessage {
  channelId: string;
  ts: string;
  incidentId: number;
  threadTs: string | null;
  userId: string;
  text: string;
  files: { name: string; permalink: string | null }[];
  editedTs: string | null;
  saidAt: Date;
}

const ROWS_PER_STATEMENT = 400;

/** Records messages of a room: an edit replaces the text, a late original never does, a deleted one stays deleted. */
export async function recordMessages(db: Db, messages: RecordedMessage[], recordedAt: Date): Promise<void> {
  for (let i = 0; i < messages.length; i += ROWS_PER_STATEMENT) {
    const rows = messages.slice(i, i + ROWS_PER_STATEMENT).map((message) => ({
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
    }));
    await db
      .insertInto('room_message')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['channel_id', 'ts'])
          .doUpdateSet((eb) => ({
            text: eb.ref('excluded.text'),
            files: eb.ref('excluded.files'),
            edited_ts: eb.ref('excluded.edited_ts'),
          }))
          .where('room_message.deleted_at', 'is', null)
          .where((eb) =>
            eb.or([eb('excluded.edited_ts', 'is not', null), eb('room_message.edited_ts', 'is', null)]),
          ),
      )
      .execute();
  }
}

export async function markDeleted(
  db: Db,
  message: { channelId: string; ts: string; at: Date },
): Promise<void> {
  await db
    .updateTable('room_message')
    .set({ deleted_at: message.at, text: '', files: '[]' })
    .where('channel_id', '=', message.channelId)
    .where('ts', '=', message.ts)
    .execute();
}

export async function messagesOf(db: Db, incidentId: number): Promise<Row<'room_message'>[]> {
  return db
    .selectFrom('room_message')
    .selectAll()
    .where('incident_id', '=', incidentId)
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

/** The ts of every message that the bot itself posted for an incident. */
export async function postedTs(db: Db, incidentId: number): Promise<Set<string>> {
  const rows = await db
    .selectFrom('posted_message')
    .select('ts')
    .where('incident_id', '=', incidentId)
    .execute();
  return new Set(rows.map((row) => row.ts));
}
