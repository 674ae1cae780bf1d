import { type Kysely, sql } from 'kysely';

/** Plans, votes, runs, proof; and the audit chain. */
const statements = [
  `create table mitigation (
    id integer generated always as identity primary key,
    incident_id integer references incident (id),
    service text not null,
    environment text not null,
    plan jsonb not null,
    plan_hash text not null,
    status text not null check (status in ('proposed', 'approved', 'running', 'applied', 'proven', 'unproven',
      'not-contained', 'failed', 'stale', 'rejected', 'expired', 'needs-human', 'reverted')),
    proposed_by text not null,
    proposed_at timestamptz not null,
    expires_at timestamptz not null,
    started_at timestamptz,
    last_sent_at timestamptz,
    applied_at timestamptz,
    settled_at timestamptz,
    prove_by timestamptz,
    outcome text,
    proof jsonb,
    lease_owner text,
    lease_until timestamptz
  )`,
  `create index mitigation_by_incident on mitigation (incident_id, id)`,
  `create table vote (
    mitigation_id integer not null references mitigation (id),
    voter text not null,
    choice text not null check (choice in ('approve', 'reject')),
    plan_hash text not null,
    reason text,
    at timestamptz not null,
    primary key (mitigation_id, voter)
  )`,
  `create table audit (
    seq integer primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    data jsonb not null,
    previous_digest text not null,
    digest text not null unique
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['audit', 'vote', 'mitigation']) await sql.raw(`drop table ${table}`).execute(db);
}
