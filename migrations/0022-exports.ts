import { type Kysely, sql } from 'kysely';

/** How each export of an incident went: what the room was told, and since when it fails. */
const toApply = [
  `create table incident_export (
    incident_id integer not null references incident (id),
    exporter text not null,
    exported_at timestamptz,
    receipt text,
    url text,
    problem text,
    failing_since timestamptz,
    told_at timestamptz,
    primary key (incident_id, exporter)
  )`,
  `create table action_link (
    event_id integer not null references incident_event (id),
    exporter text not null,
    url text not null,
    label text not null,
    primary key (event_id, exporter)
  )`,
];

const toTakeBack = [`drop table action_link`, `drop table incident_export`];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toTakeBack) await sql.raw(statement).execute(db);
}
