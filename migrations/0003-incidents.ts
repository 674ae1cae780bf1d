import { type Kysely, sql } from 'kysely';

/** The incident, its room and everything that people are asked or told in it. */
const statements = [
  `create table incident (
    id integer generated always as identity primary key,
    dedup_key text not null,
    title text not null,
    category text not null check (category in ('outage', 'quality', 'cost', 'safety')),
    severity text not null check (severity in ('sev1', 'sev2', 'sev3')),
    status text not null check (status in
      ('triage', 'open', 'contained', 'mitigated', 'resolved', 'closed', 'declined', 'merged')),
    service text,
    environment text not null,
    private boolean not null,
    source text not null check (source in ('rule', 'person')),
    rule text,
    symptom text,
    declared_by text,
    commander text,
    channel_id text unique,
    channel_name text,
    drill boolean not null default false,
    created_at timestamptz not null
  )`,
  `create unique index incident_one_open on incident (dedup_key)
    where status in ('triage', 'open', 'contained', 'mitigated')`,
  `create table milestone (
    incident_id integer not null references incident (id),
    name text not null,
    at timestamptz not null,
    recorded_at timestamptz not null,
    recorded_by text not null,
    primary key (incident_id, name)
  )`,
  `create table incident_event (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    at timestamptz not null,
    kind text not null,
    actor text,
    text text not null,
    data jsonb not null
  )`,
  `create index incident_event_by_incident on incident_event (incident_id, at, id)`,
  `create table ledger (
    id integer generated always as identity primary key,
    service text not null,
    environment text not null,
    component text not null,
    state jsonb not null,
    previous jsonb,
    at timestamptz not null,
    source text not null,
    actor text,
    recorded_at timestamptz not null,
    previous_digest text not null,
    digest text not null unique
  )`,
  `create index ledger_by_time on ledger (service, environment, component, at)`,
  `create table evidence (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    kind text not null,
    at timestamptz not null,
    data jsonb not null,
    digest text not null,
    unique (incident_id, kind)
  )`,
  `create table room_message (
    channel_id text not null,
    ts text not null,
    incident_id integer not null references incident (id),
    thread_ts text,
    user_id text not null,
    text text not null,
    files jsonb not null,
    edited_ts text,
    deleted_at timestamptz,
    said_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (channel_id, ts)
  )`,
  `create table posted_message (
    key text primary key,
    incident_id integer references incident (id),
    channel_id text not null,
    ts text not null,
    posted_at timestamptz not null
  )`,
  `create table clock (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    kind text not null,
    due_at timestamptz not null,
    state text not null default 'running' check (state in ('running', 'met', 'fired', 'stopped')),
    settled_at timestamptz,
    unique (incident_id, kind)
  )`,
  `create index clock_due on clock (due_at) where state = 'running'`,
  `create table page (
    incident_id integer not null references incident (id),
    purpose text not null check (purpose in ('page', 'ticket')),
    state text not null check (state in ('pending', 'sent', 'skipped', 'failed')),
    reason text not null,
    requested_at timestamptz not null,
    settled_at timestamptz,
    receipt jsonb,
    primary key (incident_id, purpose)
  )`,
  `create table decision_step (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    symptom text not null,
    step text not null,
    finding text,
    answer text,
    decided_by text,
    at timestamptz not null
  )`,
  `create unique index decision_step_once on decision_step (incident_id, symptom, step)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of [
    'decision_step',
    'page',
    'clock',
    'posted_message',
    'room_message',
    'evidence',
    'ledger',
    'incident_event',
    'milestone',
    'incident',
  ])
    await sql.raw(`drop table ${table}`).execute(db);
}
