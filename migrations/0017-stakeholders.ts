import { type Kysely, sql } from 'kysely';

/** Who must acknowledge an incident and by when, notices to its users, and rooms that were left for a private one. */
const toApply = [
  `create table stakeholder_ask (
    incident_id integer not null references incident (id),
    role text not null check (role in ('legal', 'compliance', 'comms', 'product')),
    contacts jsonb not null,
    asked jsonb not null,
    asked_at timestamptz not null,
    due_at timestamptz not null,
    step integer not null,
    next_at timestamptz,
    acknowledged_by text,
    acknowledged_at timestamptz,
    breached_at timestamptz,
    primary key (incident_id, role)
  )`,
  `create index stakeholder_ask_next on stakeholder_ask (next_at) where next_at is not null`,
  `create table exposure_notice (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    text text not null,
    users jsonb not null,
    digest text not null,
    status text not null check (status in ('drafted', 'approved', 'sent', 'failed', 'withdrawn')),
    drafted_by text not null,
    drafted_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    settled_at timestamptz,
    outcome text,
    receipt jsonb
  )`,
  `create unique index exposure_notice_open on exposure_notice (incident_id) where status in ('drafted', 'approved')`,
  `create table former_room (
    channel_id text primary key,
    incident_id integer not null references incident (id),
    left_by text not null,
    left_at timestamptz not null
  )`,
];

const toUndo = ['former_room', 'exposure_notice', 'stakeholder_ask'].map((table) => `drop table ${table}`);

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
