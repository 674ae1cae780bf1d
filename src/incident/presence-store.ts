import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export interface Presence {
  channelId: string;
  userId: string;
  kind: 'joined' | 'left';
  ts: string;
  incidentId: number;
  at: Date;
}

/** Slack tells it twice, as an event and as a line in the channel, some seconds apart: that is one coming. */
const SAME_SECONDS = 30;

/** Notes who came or left, once. */
export async function notePresence(db: Db, seen: Presence): Promise<void> {
  const { channelId, userId, kind, ts, incidentId, at } = seen;
  await sql`
    insert into room_presence (channel_id, user_id, kind, ts, incident_id, at)
    select ${channelId}, ${userId}, ${kind}, ${ts}, ${incidentId}::integer, ${at}::timestamptz
    where not exists (
      select 1 from room_presence
      where channel_id = ${channelId} and user_id = ${userId} and kind = ${kind}
        and abs(ts::numeric - ${ts}::numeric) < ${SAME_SECONDS}::numeric)
    on conflict do nothing`.execute(db);
}

/** Who came and who left, oldest first. */
export async function presenceOf(db: Db, incidentId: number): Promise<Row<'room_presence'>[]> {
  return db
    .selectFrom('room_presence')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('ts')
    .execute();
}
