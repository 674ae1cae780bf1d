import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type IncidentUpdate = Row<'incident_update'>;

/** Keeps an update; false when the same form or command brought it before. */
export async function insertUpdate(
  tx: Db,
  update: {
    incidentId: number;
    by: string;
    known: string;
    doing: string | null;
    nextAt: Date | null;
    origin: string;
    at: Date;
  },
): Promise<boolean> {
  const row = await tx
    .insertInto('incident_update')
    .values({
      incident_id: update.incidentId,
      at: update.at,
      said_by: update.by,
      known: update.known,
      doing: update.doing,
      next_at: update.nextAt,
      origin: update.origin,
    })
    .onConflict((conflict) => conflict.column('origin').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function latestUpdate(db: Db, incidentId: number): Promise<IncidentUpdate | undefined> {
  return db
    .selectFrom('incident_update')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}
