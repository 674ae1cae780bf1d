import { type Kysely, sql } from 'kysely';

/** What the built-in target serves: append-only versions of a service's settings, and the texts of prompt versions. */
const toApply = [
  `create table serving (
    service text not null,
    environment text not null,
    version integer not null,
    settings jsonb not null,
    changed_at timestamptz not null,
    changed_by text not null,
    plan_hash text not null,
    idempotency_key text not null unique,
    primary key (service, environment, version)
  )`,
  `create table prompt_text (
    service text not null,
    name text not null,
    version text not null,
    sha256 text not null,
    text text,
    registered_at timestamptz not null,
    primary key (service, name, version)
  )`,
];

const toUndo = ['prompt_text', 'serving'].map((table) => `drop table ${table}`);

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
