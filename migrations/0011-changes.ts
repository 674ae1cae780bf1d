import { type Kysely, sql } from 'kysely';

/** Changes that were reported under an id of the sender's, and an index for when rules last fired. */
const toApply = [
  `create table reported_change (
    service text not null,
    environment text not null,
    id text not null,
    received_at timestamptz not null,
    primary key (service, environment, id)
  )`,
  `create index evaluation_firing on evaluation (service, environment, at) where state = 'firing' and not warning`,
];

const toUndo = ['drop index evaluation_firing', 'drop table reported_change'];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
