import { type Kysely, sql } from 'kysely';

/** The stages of a shift of traffic, so that it goes on where it was after a restart. */
const toApply = [
  `create table shift_stage (
    mitigation_id integer not null references mitigation (id),
    number integer not null,
    from_percent double precision not null,
    to_percent double precision not null,
    is_back boolean not null,
    status text not null,
    started_at timestamptz not null,
    applied_at timestamptz,
    settled_at timestamptz,
    stop_by text,
    looked_at integer not null default 0,
    arms jsonb,
    primary key (mitigation_id, number)
  )`,
  `create index shift_stage_gating on shift_stage (mitigation_id) where status = 'gating'`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('drop table shift_stage').execute(db);
}
