import { type Kysely, sql } from 'kysely';

/**
 * People who were paged by name and their addresses, what PagerDuty last said of its incidents, and the notes that
 * were written there.
 */
const toApply = [
  `create table people_page (
    incident_id integer not null references incident (id),
    key text not null,
    people jsonb not null,
    text text not null,
    state text not null,
    requested_at timestamptz not null,
    settled_at timestamptz,
    outcome text,
    receipt jsonb,
    primary key (incident_id, key)
  )`,
  `create table person_email (
    slack_id text primary key,
    email text not null,
    seen_at timestamptz not null
  )`,
  `create table pager_state (
    pagerduty_id text not null,
    aspect text not null,
    value text not null,
    actor text,
    at timestamptz not null,
    primary key (pagerduty_id, aspect)
  )`,
  `create table pager_note (
    pagerduty_id text not null,
    digest text not null,
    written_at timestamptz not null,
    primary key (pagerduty_id, digest)
  )`,
];

const toUndo = ['pager_note', 'pager_state', 'person_email', 'people_page'].map(
  (table) => `drop table ${table}`,
);

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
