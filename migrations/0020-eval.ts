import { type Kysely, sql } from 'kysely';

/** Eval cases that people made or took out, and what replaying them against a changed service said. */
const toApply = [
  `alter table eval_case add column added_by text, add column dropped_by text`,
  `create table immunity_run (
    id integer generated always as identity primary key,
    service text not null,
    environment text not null,
    state_key text not null,
    state jsonb not null,
    change text not null,
    result jsonb,
    asked_at timestamptz not null,
    settled_at timestamptz
  )`,
  `create index immunity_run_newest on immunity_run (service, environment, id desc)`,
];

const toTakeBack = [
  `drop table immunity_run`,
  `alter table eval_case drop column added_by, drop column dropped_by`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toTakeBack) await sql.raw(statement).execute(db);
}
