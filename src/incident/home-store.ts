import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type HomeViewer = Row<'home_viewer'>;

/** Somebody looks at App Home, at this page of the incidents. */
export async function noteViewer(db: Db, seen: { userId: string; page: number; at: Date }): Promise<void> {
  const { page, at } = seen;
  await db
    .insertInto('home_viewer')
    .values({ user_id: seen.userId, opened_at: at, page, shown: null, shown_at: null })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ opened_at: at, page }))
    .execute();
}

/** Those who looked since then. */
export async function viewersSince(db: Db, since: Date): Promise<HomeViewer[]> {
  return db
    .selectFrom('home_viewer')
    .selectAll()
    .where('opened_at', '>=', since)
    .orderBy('opened_at', 'desc')
    .execute();
}

export async function setShown(db: Db, shown: { userId: string; digest: string; at: Date }): Promise<void> {
  await db
    .updateTable('home_viewer')
    .set({ shown: shown.digest, shown_at: shown.at })
    .where('user_id', '=', shown.userId)
    .execute();
}

/** Differs as soon as anything differs that App Home shows to anybody. Only rows are asked. */
export async function homeFingerprint(db: Db): Promise<string> {
  const { rows } = await sql<{ print: string }>`
    select md5(concat_ws('|',
      (select string_agg(concat_ws(',', id, title, severity, status, service, private, channel_id), ';' order by id)
        from incident where status in ('triage', 'open', 'contained', 'mitigated', 'resolved')),
      (select string_agg(concat_ws(',', id, status, lease_owner, lease_until, kept_by), ';' order by id)
        from mitigation where status = 'proposed' or lease_until is not null),
      (select count(*) from vote),
      (select string_agg(concat_ws(',', incident_id, owner, due_at), ';' order by incident_id) from postmortem_duty),
      (select string_agg(concat_ws(',', incident_id, kind, due_at), ';' order by id) from clock where state = 'running'),
      (select string_agg(concat_ws(',', incident_id, role, contacts, acknowledged_by), ';' order by incident_id, role)
        from stakeholder_ask),
      (select count(*) from milestone where name = 'acknowledged'),
      (select max(id) from incident_event where kind like 'action-item%'),
      (select string_agg(concat_ws(',', service, environment, rule, warning, state), ';'
        order by service, environment, rule, warning) from signal),
      (select string_agg(key, ';' order by key) from trouble),
      (select count(*) from room_presence)
    )) as print`.execute(db);
  return rows[0]?.print ?? '';
}
