import { sql } from 'kysely';
import type { Db } from '../db/database.ts';

export interface FiringAlert {
  fingerprint: string;
  startsAt: Date;
}

/**
 * Notes that these alerts fire, and returns those whose firing is news. The same firing told again is none, nor is one
 * that began before the firing that is known: Alertmanager may move a start back, never forward.
 */
export async function takeFiring<T extends FiringAlert>(
  db: Db,
  { alerts, pageKey }: { alerts: readonly T[]; pageKey: string | null },
): Promise<T[]> {
  const newest = newestOfEach(alerts);
  if (newest.length === 0) return [];
  const rows = await db
    .insertInto('alert')
    .values(
      newest.map(({ fingerprint, startsAt }) => ({
        fingerprint,
        starts_at: startsAt,
        ended_at: null,
        incident_id: null,
        page_key: pageKey,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .column('fingerprint')
        .doUpdateSet({
          starts_at: sql`excluded.starts_at`,
          page_key: sql`excluded.page_key`,
          ended_at: null,
          incident_id: null,
        })
        .whereRef('alert.starts_at', '<', sql`excluded.starts_at`),
    )
    .returning('fingerprint')
    .execute();
  const news = new Set(rows.map(({ fingerprint }) => fingerprint));
  return newest.filter(({ fingerprint }) => news.has(fingerprint));
}

/** One row a fingerprint, in one order for all, so that two deliveries at once cannot wait for each other. */
function newestOfEach<T extends FiringAlert>(alerts: readonly T[]): T[] {
  const byTime = alerts.toSorted((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
  const newest = new Map(byTime.map((alert) => [alert.fingerprint, alert]));
  return [...newest.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

/** Notes which incident those alerts opened or joined. */
export async function linkAlerts(
  db: Db,
  { fingerprints, incidentId }: { fingerprints: readonly string[]; incidentId: number },
): Promise<void> {
  await db
    .updateTable('alert')
    .set({ incident_id: incidentId })
    .where('fingerprint', 'in', [...fingerprints])
    .execute();
}

/** Notes that an alert ended; the incident it belongs to, when that is news. An older firing's end is none. */
export async function endAlert(
  db: Db,
  ended: { fingerprint: string; endsAt: Date },
): Promise<number | undefined> {
  const row = await db
    .updateTable('alert')
    .set({ ended_at: ended.endsAt })
    .where('fingerprint', '=', ended.fingerprint)
    .where('ended_at', 'is', null)
    .where('starts_at', '<=', ended.endsAt)
    .returning('incident_id')
    .executeTakeFirst();
  return row?.incident_id ?? undefined;
}

/** Keys under which another system may have opened an incident in PagerDuty for this one, oldest first. */
export async function pageKeysOf(db: Db, incidentId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('alert')
    .select('page_key')
    .where('incident_id', '=', incidentId)
    .where('page_key', 'is not', null)
    .groupBy('page_key')
    .orderBy(sql`min(starts_at)`)
    .execute();
  return rows.flatMap(({ page_key: key }) => (key === null ? [] : [key]));
}
