import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type ExposureNotice = Row<'exposure_notice'>;

/** Undefined when another one is open for the incident. */
export async function draftNotice(
  db: Db,
  draft: { incidentId: number; text: string; users: readonly string[]; digest: string; by: string; at: Date },
): Promise<ExposureNotice | undefined> {
  return db
    .insertInto('exposure_notice')
    .values({
      incident_id: draft.incidentId,
      text: draft.text,
      users: JSON.stringify(draft.users),
      digest: draft.digest,
      status: 'drafted',
      drafted_by: draft.by,
      drafted_at: draft.at,
      decided_by: null,
      decided_at: null,
      settled_at: null,
      outcome: null,
      receipt: null,
    })
    .onConflict((conflict) =>
      conflict.column('incident_id').where('status', 'in', ['drafted', 'approved']).doNothing(),
    )
    .returningAll()
    .executeTakeFirst();
}

export async function findNotice(db: Db, id: number): Promise<ExposureNotice | undefined> {
  return db.selectFrom('exposure_notice').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The newest of an incident. */
export async function newestNotice(db: Db, incidentId: number): Promise<ExposureNotice | undefined> {
  return db
    .selectFrom('exposure_notice')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Decides a draft, if it still is one; `byAnother`: only for somebody who did not draft it. */
export async function decideNotice(
  db: Db,
  decided: { id: number; status: 'approved' | 'withdrawn'; by: string; at: Date; byAnother: boolean },
): Promise<ExposureNotice | undefined> {
  return db
    .updateTable('exposure_notice')
    .set({ status: decided.status, decided_by: decided.by, decided_at: decided.at })
    .where('id', '=', decided.id)
    .where('status', '=', 'drafted')
    .$if(decided.byAnother, (query) => query.where('drafted_by', '!=', decided.by))
    .returningAll()
    .executeTakeFirst();
}

/** What became of an approved one; false when that was settled before. */
export async function settleNotice(
  db: Db,
  settled: { id: number; status: 'sent' | 'failed'; outcome: string; receipt: object | null; at: Date },
): Promise<boolean> {
  const row = await db
    .updateTable('exposure_notice')
    .set({
      status: settled.status,
      settled_at: settled.at,
      outcome: settled.outcome,
      receipt: settled.receipt === null ? null : JSON.stringify(settled.receipt),
    })
    .where('id', '=', settled.id)
    .where('status', '=', 'approved')
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
