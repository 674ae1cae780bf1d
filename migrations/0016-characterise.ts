import { type Kysely, sql } from 'kysely';

/** The five questions of an incident with every answer, how relevant retrieved chunks were, which tree was walked. */
const toApply = [
  `create table characteristic (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    question text not null,
    text text not null,
    answered_by text,
    evidence jsonb not null,
    at timestamptz not null
  )`,
  `create index characteristic_by_incident on characteristic (incident_id, id)`,
  `create table call_retrieval (
    call_id bigint primary key references call (id) on delete cascade,
    chunks integer not null,
    least double precision not null,
    mean double precision not null,
    best double precision not null
  )`,
  `alter table decision_step add column tree text`,
];

const toTakeBack = [
  `alter table decision_step drop column tree`,
  `drop table call_retrieval`,
  `drop table characteristic`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toTakeBack) await sql.raw(statement).execute(db);
}
