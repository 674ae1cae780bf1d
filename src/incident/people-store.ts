import type { Db } from '../db/database.ts';
import { isPerson, LIVE } from './incident.ts';

/** What one person at a time does in an incident. */
export const ROLES = ['commander', 'scribe', 'comms'] as const;
export type Role = (typeof ROLES)[number];

/** Gives a role to somebody, or to nobody; false when it was theirs already, or the incident has ended. */
export async function setRole(
  tx: Db,
  { incidentId, role, person }: { incidentId: number; role: Role; person: string | null },
): Promise<boolean> {
  const row = await tx
    .updateTable('incident')
    .set({ [role]: person })
    .where('id', '=', incidentId)
    .where('status', 'in', [...LIVE])
    .where(role, 'is distinct from', person)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Whoever says first that they are on it commands, unless somebody does. */
export async function setCommanderIfNone(db: Db, id: number, userId: string): Promise<boolean> {
  const row = await db
    .updateTable('incident')
    .set({ commander: userId })
    .where('id', '=', id)
    .where('commander', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Who said first that they are on it; null where nobody did, or somebody who is not in Slack. */
export async function acknowledgerOf(db: Db, incidentId: number): Promise<string | null> {
  const row = await db
    .selectFrom('milestone')
    .select('recorded_by')
    .where('incident_id', '=', incidentId)
    .where('name', '=', 'acknowledged')
    .executeTakeFirst();
  return row !== undefined && isPerson(row.recorded_by) ? row.recorded_by : null;
}
