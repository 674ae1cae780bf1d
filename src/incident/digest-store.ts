import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type DigestPost = Row<'digest_post'>;

export async function digestPostOf(db: Db, incidentId: number): Promise<DigestPost | undefined> {
  return db.selectFrom('digest_post').selectAll().where('incident_id', '=', incidentId).executeTakeFirst();
}

/** Remembers what was said about an incident and where; one message an incident. `ts` is empty where Slack refused it. */
export async function keepDigestPost(
  db: Db,
  post: { incidentId: number; channelId: string; ts: string; shown: string; at: Date },
): Promise<void> {
  const { incidentId, channelId, ts, shown, at } = post;
  await db
    .insertInto('digest_post')
    .values({ incident_id: incidentId, channel_id: channelId, ts, shown, posted_at: at })
    .onConflict((conflict) =>
      conflict.column('incident_id').doUpdateSet({ shown, ts, channel_id: channelId }),
    )
    .execute();
}
