import { type Kysely, sql } from 'kysely';

/**
 * The topic that a room has, when its card was last drawn again because time had passed, and what is costly to look up
 * for it: measured then, when the newest entry of the timeline was this one.
 */
const toApply = [
  `create table room_card (
    incident_id integer primary key references incident (id),
    topic text not null,
    drawn_at timestamptz not null,
    measured jsonb,
    measured_at timestamptz,
    measured_event integer
  )`,
  `create index room_card_drawn_at on room_card (drawn_at)`,
];

const toUndo = ['drop table room_card'];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}
