import type { Db } from '../db/database.ts';
import type { NewRow, Row } from '../db/schema.ts';

export type TimelineMark = Row<'timeline_mark'>;

/** Marks a message or takes the mark back; true when that changed something. What Slack delivers late changes nothing. */
export async function setMark(db: Db, mark: Omit<NewRow<'timeline_mark'>, 'permalink'>): Promise<boolean> {
  const changed = await db
    .insertInto('timeline_mark')
    .values({ ...mark, permalink: null })
    .onConflict((conflict) =>
      conflict
        .columns(['incident_id', 'channel_id', 'ts', 'marked_by', 'via'])
        .doUpdateSet({ is_on: mark.is_on, changed_ts: mark.changed_ts })
        .where('timeline_mark.changed_ts', '<', mark.changed_ts)
        .where('timeline_mark.is_on', '!=', mark.is_on),
    )
    .returning('ts')
    .executeTakeFirst();
  return changed !== undefined;
}

/** Marks of an incident that stand, oldest message first. */
export async function marksOf(db: Db, incidentId: number): Promise<TimelineMark[]> {
  return db
    .selectFrom('timeline_mark')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('is_on', '=', true)
    .orderBy('ts')
    .execute();
}

/** The link of a message, for every mark on it. */
export async function setPermalink(
  db: Db,
  message: { channelId: string; ts: string; permalink: string },
): Promise<void> {
  await db
    .updateTable('timeline_mark')
    .set({ permalink: message.permalink })
    .where('channel_id', '=', message.channelId)
    .where('ts', '=', message.ts)
    .execute();
}
