import { type Kysely, sql } from 'kysely';

/**
 * What replaying recorded calls against other serving states said. The calls are chosen once an incident; a rehearsal is
 * one state, its replays are the verdicts, and a proposal names the rehearsal that is about it. No texts.
 */
const toApply = [
  `create table rehearsal_call (
    incident_id integer not null references incident (id),
    call_id bigint not null,
    side text not null,
    primary key (incident_id, call_id)
  )`,
  `create table rehearsal (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    state_key text not null,
    state jsonb not null,
    role text not null,
    name text not null,
    status text not null default 'waiting',
    job_id bigint,
    result jsonb,
    reason text,
    asked_at timestamptz not null,
    settled_at timestamptz,
    unique (incident_id, state_key)
  )`,
  `create table rehearsal_replay (
    rehearsal_id integer not null references rehearsal (id),
    call_id bigint not null,
    side text not null,
    verdict text not null,
    kind text not null,
    note text,
    cost_usd double precision,
    primary key (rehearsal_id, call_id)
  )`,
  `create table mitigation_rehearsal (
    mitigation_id integer primary key references mitigation (id),
    rehearsal_id integer not null references rehearsal (id)
  )`,
];

const toUndo = ['mitigation_rehearsal', 'rehearsal_replay', 'rehearsal', 'rehearsal_call'].map(
  (table) => `drop table ${table}`,
);

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
