import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { IN_FORCE } from './in-force.ts';
import type { Mitigation } from './mitigation-store.ts';

/**
 * What gave back has no lease, and nothing of it is in force. Also a shift of the traffic that has begun and goes on by
 * stages is on.
 */
const isOn = sql<boolean>`(lease_until is not null or kept_by is not null)
  and (status in (${sql.join(IN_FORCE)}) or (status = 'running' and applied_at is not null))`;

/** A mitigation that lies under a later one which is in force has nothing of its own in force. */
const isOnTop = sql<boolean>`not exists (
  select 1 from mitigation later
  where later.id = mitigation.replaced_by and later.status in (${sql.join(IN_FORCE)}))`;

/** Also of incidents that were merged into it. */
const isOf = (incidentId: number) =>
  sql<boolean>`incident_id in (select id from incident where id = ${incidentId} or merged_into = ${incidentId})`;

export interface About {
  incidentId?: number;
  service?: string;
  environment?: string;
  /** With those that lie under a later one. */
  covered?: true;
}

/** Mitigations of which something is in force, oldest first: of one incident, of one service, or all. */
export async function mitigationsOn(db: Db, about: About): Promise<Mitigation[]> {
  let query = db.selectFrom('mitigation').selectAll().where(isOn);
  if (about.covered !== true) query = query.where(isOnTop);
  if (about.incidentId !== undefined) query = query.where(isOf(about.incidentId));
  if (about.service !== undefined) query = query.where('service', '=', about.service);
  if (about.environment !== undefined) query = query.where('environment', '=', about.environment);
  return query.orderBy('id').execute();
}

/**
 * Leases whose owner is to be told now, each once over all replicas. The first time asks; then `answerBy` is when it
 * is told again, and from then on `again`.
 */
export async function takeDueLeases(
  tx: Db,
  times: { now: Date; answerBy: Date; again: Date },
): Promise<Mitigation[]> {
  const next = sql<Date>`case when lease_told = 0 then ${times.answerBy}::timestamptz
    else ${times.again}::timestamptz end`;
  const rows = await tx
    .updateTable('mitigation')
    .set((column) => ({
      lease_told: column('lease_told', '+', 1),
      lease_next_at: next,
      lease_asked_for: column.ref('lease_until'),
    }))
    .where('status', 'in', [...IN_FORCE])
    .where('lease_next_at', '<=', times.now)
    .where(isOnTop)
    .returningAll()
    .execute();
  return rows.sort((a, b) => a.id - b.id);
}

/** Keeps it, for good where `until` is null; undefined when nothing of it is in force any more. */
export async function setKept(
  tx: Db,
  kept: { id: number; by: string; reason: string; until: Date | null },
): Promise<Mitigation | undefined> {
  return setLease(tx, kept.id, {
    kept_by: kept.by,
    kept_reason: kept.reason,
    lease_until: kept.until,
    lease_next_at: kept.until,
    lease_told: 0,
  });
}

/** Hands it over; undefined when nothing of it is in force any more. */
export async function setLeaseOwner(tx: Db, id: number, owner: string): Promise<Mitigation | undefined> {
  return setLease(tx, id, { lease_owner: owner });
}

/** An answer came; if it is still on then, its owner is told again. */
export async function postponeLease(tx: Db, id: number, until: Date): Promise<void> {
  await tx
    .updateTable('mitigation')
    .set({ lease_next_at: until, lease_told: sql`greatest(lease_told, 1)` })
    .where('id', '=', id)
    .where('lease_next_at', 'is not', null)
    .where('lease_next_at', '<', until)
    .execute();
}

async function setLease(tx: Db, id: number, set: Partial<Mitigation>): Promise<Mitigation | undefined> {
  return tx
    .updateTable('mitigation')
    .set(set as never)
    .where('id', '=', id)
    .where('status', 'in', [...IN_FORCE])
    .returningAll()
    .executeTakeFirst();
}

/** It gave back what others had set: nothing of its own is in force. */
export async function endLease(tx: Db, id: number): Promise<void> {
  const set = { lease_owner: null, lease_until: null, lease_next_at: null };
  await tx.updateTable('mitigation').set(set).where('id', '=', id).execute();
}

/** A later mitigation lies over it from now on. */
export async function setReplaced(tx: Db, id: number, by: number): Promise<void> {
  await tx.updateTable('mitigation').set({ replaced_by: by }).where('id', '=', id).execute();
}
