import { sql } from 'kysely';
import type { Db } from '../db/database.ts';

interface Merge {
  /** The incident that goes into the other. */
  from: number;
  into: number;
}

/** Notes where it went; what was merged into it before points to the survivor from now on. */
export async function pointToSurvivor(tx: Db, { from, into }: Merge): Promise<void> {
  await tx
    .updateTable('incident')
    .set({ merged_into: into })
    .where((where) => where.or([where('id', '=', from), where('merged_into', '=', from)]))
    .execute();
}

/** What fires belongs to the survivor. */
export async function moveSignals(tx: Db, { from, into }: Merge): Promise<void> {
  await tx.updateTable('signal').set({ incident_id: into }).where('incident_id', '=', from).execute();
  await tx.updateTable('alert').set({ incident_id: into }).where('incident_id', '=', from).execute();
}

/**
 * Pages that left move to the survivor where it has none of its own that left or is about to; the others stay. What it
 * said of paging nobody is over then.
 */
export async function movePages(tx: Db, { from, into, at }: Merge & { at: Date }): Promise<number> {
  const { rows } = await sql`update page set incident_id = ${into}, requested_at = ${at}
    where incident_id = ${from} and state = 'sent'
      and purpose not in (select purpose from page where incident_id = ${into})
    returning purpose`.execute(tx);
  return rows.length;
}

/** Takes back what was noted about paging nobody. */
export async function forgetSkippedPages(tx: Db, incidentId: number): Promise<void> {
  await tx
    .deleteFrom('page')
    .where('incident_id', '=', incidentId)
    .where('state', 'in', ['skipped', 'failed'])
    .execute();
}

/** Pages of the incident that left. */
export async function sentPages(db: Db, incidentId: number): Promise<number> {
  const rows = await db
    .selectFrom('page')
    .select('purpose')
    .where('incident_id', '=', incidentId)
    .where('state', '=', 'sent')
    .execute();
  return rows.length;
}

/** True when one of the two is the other, or was merged into it. */
export async function isPartOf(db: Db, id: number, whole: number): Promise<boolean> {
  if (id === whole) return true;
  const row = await db.selectFrom('incident').select('merged_into').where('id', '=', id).executeTakeFirst();
  return row?.merged_into === whole;
}
