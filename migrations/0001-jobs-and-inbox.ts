import { type Kysely, sql } from 'kysely';

/** Durable work: jobs, the inbox of deliveries, cron slots, settings. Leases are on the database's clock. */
const statements = [
  `create table job (
    id integer generated always as identity primary key,
    kind text not null,
    lane text,
    dedupe_key text unique,
    payload jsonb not null,
    state text not null default 'ready' check (state in ('ready', 'done', 'dead')),
    run_at timestamptz not null,
    held_until timestamptz,
    held_by text,
    attempts integer not null default 0,
    last_error text,
    created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
  )`,
  `create index job_ready on job (run_at, id) where state = 'ready'`,
  `create index job_lane on job (lane, id) where state = 'ready' and lane is not null`,
  `create table inbox (
    key text primary key,
    kind text not null,
    body jsonb not null,
    received_at timestamptz not null default clock_timestamp(),
    held_until timestamptz not null,
    attempts integer not null default 1,
    state text not null default 'received' check (state in ('received', 'done', 'dead')),
    last_error text
  )`,
  `create index inbox_open on inbox (held_until) where state = 'received'`,
  `create table cron_slot (key text primary key, claimed_at timestamptz not null default clock_timestamp())`,
  `create table setting (key text primary key, value jsonb not null)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['setting', 'cron_slot', 'inbox', 'job'])
    await sql.raw(`drop table ${table}`).execute(db);
}
