import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { LIVE } from './incident.ts';

export type PagePurpose = 'page' | 'ticket';

/**
 * Records the wish to page, or why there is none (`skipped`). False when the same was asked before and is under way or
 * done, so that nobody is paged twice; what was skipped or failed can be asked for again.
 */
export async function requestPage(
  db: Db,
  page: { incidentId: number; purpose: PagePurpose; reason: string; at: Date; state?: 'pending' | 'skipped' },
): Promise<boolean> {
  const state = page.state ?? 'pending';
  const asked = { state, reason: page.reason, requested_at: page.at, settled_at: null, receipt: null };
  const row = await db
    .insertInto('page')
    .values({ incident_id: page.incidentId, purpose: page.purpose, ...asked })
    .onConflict((conflict) =>
      conflict
        .columns(['incident_id', 'purpose'])
        .doUpdateSet(asked)
        .where('page.state', 'in', ['skipped', 'failed']),
    )
    .returning('state')
    .executeTakeFirst();
  return row !== undefined;
}

export async function settlePage(
  db: Db,
  page: {
    incidentId: number;
    purpose: PagePurpose;
    state: 'sent' | 'skipped' | 'failed';
    reason: string;
    receipt: object | null;
    at: Date;
  },
): Promise<void> {
  await db
    .updateTable('page')
    .set({
      state: page.state,
      reason: page.reason,
      settled_at: page.at,
      receipt: page.receipt === null ? null : JSON.stringify(page.receipt),
    })
    .where('incident_id', '=', page.incidentId)
    .where('purpose', '=', page.purpose)
    .execute();
}

export async function pagesOf(db: Db, incidentId: number): Promise<Row<'page'>[]> {
  return db
    .selectFrom('page')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('requested_at')
    .execute();
}

/** True while another live incident has the same PagerDuty incident on its receipt. */
export async function isNeededElsewhere(
  db: Db,
  { receipt, incidentId }: { receipt: { pagerdutyId: string | null }; incidentId: number },
): Promise<boolean> {
  if (receipt.pagerdutyId === null) return false;
  const rows = await db
    .selectFrom('page')
    .innerJoin('incident', 'incident.id', 'page.incident_id')
    .select('incident.id')
    .where(sql`page.receipt ->> 'pagerdutyId'`, '=', receipt.pagerdutyId)
    .where('incident.id', '!=', incidentId)
    .where('incident.status', 'in', [...LIVE])
    .limit(1)
    .execute();
  return rows.length > 0;
}
