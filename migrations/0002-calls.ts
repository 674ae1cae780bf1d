import { type Kysely, sql } from 'kysely';

/** Calls and their text apart, and what the rules made of them. */
const statements = [
  `create table call (
    id bigint generated always as identity primary key,
    trace_id text not null,
    span_id text not null,
    span_seen boolean not null,
    service text not null,
    environment text not null,
    at timestamptz not null,
    request_model text,
    response_model text,
    parameters jsonb not null,
    prompt_name text,
    prompt_version text,
    prompt_sha256 text,
    user_id text,
    session_id text,
    endpoint text,
    input_tokens integer,
    output_tokens integer,
    output_chars integer,
    cost_usd double precision,
    latency_ms double precision,
    error text,
    quality double precision,
    format_ok boolean,
    received_at timestamptz not null default clock_timestamp(),
    unique (trace_id, span_id)
  )`,
  `create index call_by_time on call (service, environment, at)`,
  `create index call_by_span on call (span_id)`,
  `create table call_evaluation (
    call_id bigint not null references call (id) on delete cascade,
    name text not null,
    value double precision,
    label text,
    explanation text,
    evaluator text,
    at timestamptz not null,
    primary key (call_id, name)
  )`,
  `create table call_content (
    call_id bigint primary key references call (id) on delete cascade,
    input text,
    output text,
    frozen_for integer
  )`,
  `create table evaluation (
    id bigint generated always as identity primary key,
    service text not null,
    environment text not null,
    rule text not null,
    at timestamptz not null,
    state text not null,
    value double precision,
    baseline double precision,
    n integer not null,
    baseline_n integer not null,
    lower double precision,
    upper double precision,
    threshold double precision,
    past_bound boolean not null
  )`,
  `create index evaluation_by_time on evaluation (service, environment, rule, at)`,
  `create table signal (
    service text not null,
    environment text not null,
    rule text not null,
    state text not null,
    since timestamptz not null,
    past_bound_since timestamptz,
    incident_id integer,
    evaluation_id bigint not null,
    primary key (service, environment, rule)
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['signal', 'evaluation', 'call_content', 'call_evaluation', 'call'])
    await sql.raw(`drop table ${table}`).execute(db);
}
