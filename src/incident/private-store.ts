import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

/** Marks it private and takes it out of its room, which comes back; undefined when it is private already. */
export async function turnPrivate(
  tx: Db,
  incidentId: number,
): Promise<{ channelId: string | null } | undefined> {
  const before = await tx
    .selectFrom('incident')
    .select('channel_id as channelId')
    .where('id', '=', incidentId)
    .where('private', '=', false)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined) return undefined;
  await tx
    .updateTable('incident')
    .set({ private: true, channel_id: null, channel_name: null })
    .where('id', '=', incidentId)
    .execute();
  return before;
}

/** Remembers the room that was left; what was posted there is known under other keys, so that it is posted anew. */
export async function leaveRoom(
  tx: Db,
  left: { incidentId: number; channelId: string; by: string; at: Date },
): Promise<void> {
  await tx
    .insertInto('former_room')
    .values({ channel_id: left.channelId, incident_id: left.incidentId, left_by: left.by, left_at: left.at })
    .execute();
  await forgetPosted(tx, left);
}

/** Keeps what was posted in a room that was left under keys of its own. */
export async function forgetPosted(
  db: Db,
  { incidentId, channelId }: { incidentId: number; channelId: string },
): Promise<void> {
  await sql`update posted_message set key = 'former:' || channel_id || ':' || key
    where incident_id = ${incidentId} and channel_id = ${channelId} and key not like 'former:%'`.execute(db);
}

/** Puts what waits in a lane before the first job of a kind behind all that waits there now, in the same order. */
export async function waitBehind(db: Db, { lane, kind }: { lane: string; kind: string }): Promise<void> {
  await sql`with waiting as (
      update job set state = 'done', finished_at = clock_timestamp()
      where lane = ${lane} and state = 'ready' and held_by is null
        and id < (select max(id) from job where lane = ${lane} and kind = ${kind} and state = 'ready')
      returning id, kind, lane, payload, run_at)
    insert into job (kind, lane, payload, run_at)
    select kind, lane, payload, run_at from waiting order by id`.execute(db);
}

export async function formerRoomOf(db: Db, channelId: string): Promise<Row<'former_room'> | undefined> {
  return db.selectFrom('former_room').selectAll().where('channel_id', '=', channelId).executeTakeFirst();
}

/** What the bot posted for an incident in one channel, its threads included. */
export async function postedIn(
  db: Db,
  { incidentId, channelId }: { incidentId: number; channelId: string },
): Promise<Row<'posted_message'>[]> {
  return db
    .selectFrom('posted_message')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('channel_id', '=', channelId)
    .orderBy('posted_at')
    .execute();
}
