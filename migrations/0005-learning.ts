import { type Kysely, sql } from 'kysely';

/** What an incident leaves behind. */
const statements = [
  `create table postmortem (
    incident_id integer primary key references incident (id),
    markdown text not null,
    missing jsonb not null,
    assembled_at timestamptz not null,
    posted_at timestamptz
  )`,
  `create table eval_case (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    call_id bigint,
    definition jsonb not null,
    proven boolean not null,
    created_at timestamptz not null
  )`,
  `create index eval_case_by_incident on eval_case (incident_id, id)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['eval_case', 'postmortem']) await sql.raw(`drop table ${table}`).execute(db);
}
