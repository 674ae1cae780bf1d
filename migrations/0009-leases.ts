import { type Kysely, sql } from 'kysely';

/** Leases that are asked for and answered; what is recorded before a safety incident's mitigations are given back. */
const toApply = [
  `alter table mitigation
    add column lease_next_at timestamptz,
    add column lease_told integer not null default 0,
    add column lease_asked_for timestamptz,
    add column kept_by text,
    add column kept_reason text,
    add column replaced_by integer references mitigation (id)`,
  'update mitigation set lease_next_at = lease_until where lease_until is not null',
  'create index mitigation_lease on mitigation (lease_next_at) where lease_next_at is not null',
  'create index mitigation_service on mitigation (service, environment)',
  `create table root_cause (
    id integer generated always as identity primary key,
    incident_id integer not null references incident (id),
    cause text not null,
    said_by text not null,
    at timestamptz not null
  )`,
  'create index root_cause_incident on root_cause (incident_id)',
  `create table sign_off (
    root_cause_id integer not null references root_cause (id),
    person text not null,
    note text,
    at timestamptz not null,
    primary key (root_cause_id, person)
  )`,
  `create table false_alarm (
    incident_id integer not null references incident (id),
    person text not null,
    reason text not null,
    at timestamptz not null,
    primary key (incident_id, person)
  )`,
];

const toUndo = [
  'drop table false_alarm',
  'drop table sign_off',
  'drop table root_cause',
  'drop index mitigation_service',
  'drop index mitigation_lease',
  `alter table mitigation
    drop column replaced_by,
    drop column kept_reason,
    drop column kept_by,
    drop column lease_asked_for,
    drop column lease_told,
    drop column lease_next_at`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
