import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { LIVE } from './incident.ts';

export type PagePurpose = 'page' | 'ticket';

/** May a page that left be asked for anew: once it is resolved in PagerDuty, or while it is open there as well. */
export type PageAgain = 'never' | 'if-over' | 'always';

/**
 * Records the wish to page, or why there is none (`skipped`). False when the same was asked before and is under way or
 * done, so that nobody is paged twice; what was skipped or failed can be asked for again, and what left as `again` says.
 * The receipt of the page before stays until there is another.
 */
export async function requestPage(
  db: Db,
  page: {
    incidentId: number;
    purpose: PagePurpose;
    reason: string;
    at: Date;
    state?: 'pending' | 'skipped';
    again?: PageAgain;
  },
): Promise<boolean> {
  const { again = 'never' } = page;
  const state = page.state ?? 'pending';
  const asked = { state, reason: page.reason, requested_at: page.at, settled_at: null };
  const row = await db
    .insertInto('page')
    .values({ incident_id: page.incidentId, purpose: page.purpose, ...asked, receipt: null })
    .onConflict((conflict) =>
      conflict.columns(['incident_id', 'purpose']).doUpdateSet(asked).where(mayBeAsked(again)),
    )
    .returning('state')
    .executeTakeFirst();
  return row !== undefined;
}

function mayBeAsked(again: PageAgain) {
  const isOver = sql<boolean>`exists (select 1 from pager_state
    where pager_state.pagerduty_id = page.receipt ->> 'pagerdutyId' and aspect = 'status' and value = 'resolved')`;
  const left = { never: sql<boolean>`false`, 'if-over': isOver, always: sql<boolean>`true` }[again];
  return sql<boolean>`page.state in ('skipped', 'failed') or (page.state = 'sent' and ${left})`;
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
