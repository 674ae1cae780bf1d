import { type Kysely, sql } from 'kysely';

/** What detection keeps: features and roll-ups of calls, safety events, canaries, budgets, alerts from outside. */
const toApply = [
  `create sequence call_change`,
  `alter table call add column changed bigint not null default nextval('call_change')`,
  `create index call_by_change on call (changed)`,
  `drop index call_by_time`,
  `create index call_by_time on call (service, environment, at) include (quality, format_ok)`,
  `create table call_feature (
    call_id bigint primary key references call (id) on delete cascade,
    input_chars integer,
    refused boolean,
    hedged boolean,
    contradicts boolean,
    unsupported boolean,
    words jsonb
  )`,
  `create table call_rollup (
    service text not null,
    environment text not null,
    span text not null check (span in ('minute', 'hour')),
    start timestamptz not null,
    calls integer not null,
    stats jsonb not null,
    changed bigint not null default nextval('call_change'),
    primary key (service, environment, span, start)
  )`,
  `create index call_rollup_stale on call_rollup (span, start) where changed = 0`,
  `create table safety_event (
    service text not null,
    environment text not null,
    rule text not null,
    call_id bigint not null,
    at timestamptz not null,
    noted_at timestamptz not null,
    user_id text,
    detail text not null,
    primary key (call_id, rule)
  )`,
  `create index safety_event_by_time on safety_event (service, environment, rule, noted_at)`,
  `alter table evaluation add column warning boolean not null default false`,
  `alter table evaluation add column detail text`,
  `alter table evaluation add column source text not null default 'calls'`,
  `create index evaluation_by_age on evaluation (at)`,
  `alter table signal add column warning boolean not null default false`,
  `alter table signal add column recent text not null default ''`,
  `alter table signal add column past_since timestamptz`,
  `alter table signal add column quiet_since timestamptz`,
  `alter table signal add column closed_at timestamptz`,
  `alter table signal drop constraint signal_pkey`,
  `alter table signal add primary key (service, environment, rule, warning)`,
  `create table trouble (
    key text primary key,
    problem text not null,
    since timestamptz not null,
    last_at timestamptz not null,
    told_at timestamptz
  )`,
  `create table check_count (
    service text not null,
    environment text not null,
    minute timestamptz not null,
    verdict text not null,
    reason text not null,
    n integer not null,
    primary key (service, environment, minute, verdict, reason)
  )`,
  `create table canary_run (
    id bigint generated always as identity primary key,
    service text not null,
    environment text not null,
    canary text not null,
    at timestamptz not null,
    output text,
    error text,
    latency_ms double precision,
    deviates boolean not null,
    detail text
  )`,
  `create index canary_run_by_time on canary_run (service, environment, canary, at)`,
  `create table budget (
    key text not null,
    day text not null,
    used double precision not null,
    primary key (key, day)
  )`,
  `create table alert (
    fingerprint text primary key,
    starts_at timestamptz not null,
    ended_at timestamptz,
    incident_id integer references incident (id),
    page_key text
  )`,
  `create index alert_by_incident on alert (incident_id)`,
];

const toUndo = [
  ...['alert', 'budget', 'canary_run', 'check_count', 'trouble'].map((table) => `drop table ${table}`),
  `delete from signal where warning`,
  `alter table signal drop constraint signal_pkey`,
  ...['warning', 'recent', 'past_since', 'quiet_since', 'closed_at'].map(
    (column) => `alter table signal drop column ${column}`,
  ),
  `alter table signal add primary key (service, environment, rule)`,
  `drop index evaluation_by_age`,
  `delete from evaluation where warning`,
  ...['warning', 'detail', 'source'].map((column) => `alter table evaluation drop column ${column}`),
  ...['safety_event', 'call_rollup', 'call_feature'].map((table) => `drop table ${table}`),
  `drop index call_by_time`,
  `create index call_by_time on call (service, environment, at)`,
  `alter table call drop column changed`,
  `drop sequence call_change`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
