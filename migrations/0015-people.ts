import { type Kysely, sql } from 'kysely';

/** Who does what in an incident, what they tell the others, and which incident went into which. */
const statements = [
  `alter table incident add column scribe text, add column comms text,
    add column merged_into integer references incident (id)`,
  `create index incident_merged_into on incident (merged_into) where merged_into is not null`,
  `create table incident_update (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    at timestamptz not null,
    said_by text not null,
    known text not null,
    doing text,
    next_at timestamptz,
    origin text not null unique
  )`,
  `create index incident_update_by_incident on incident_update (incident_id, at)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    `drop table incident_update`,
    `alter table incident drop column scribe, drop column comms, drop column merged_into`,
  ])
    await sql.raw(statement).execute(db);
}
