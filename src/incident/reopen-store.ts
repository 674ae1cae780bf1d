import type { Db } from '../db/database.ts';
import type { MilestoneName } from './incident.ts';

/** Takes milestones back, whoever recorded them, and returns them, earliest first. */
export async function takeBackAll(
  db: Db,
  incidentId: number,
  names: readonly MilestoneName[],
): Promise<{ name: string; at: Date }[]> {
  const rows = await db
    .deleteFrom('milestone')
    .where('incident_id', '=', incidentId)
    .where('name', 'in', [...names])
    .returning(['name', 'at'])
    .execute();
  return rows.sort((a, b) => a.at.getTime() - b.at.getTime());
}
