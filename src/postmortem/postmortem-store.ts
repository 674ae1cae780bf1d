import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { keepProposedCases } from './case-store.ts';
import type { EvalCase } from './eval-case.ts';

export interface WrittenPostmortem {
  incidentId: number;
  markdown: string;
  missing: string[];
  cases: readonly EvalCase[];
  at: Date;
}

/** Keeps the newest document and its eval cases; an earlier version of both is replaced, but what people made or took out. */
export async function savePostmortem(tx: Db, written: WrittenPostmortem): Promise<void> {
  const { incidentId, markdown, at } = written;
  const values = { markdown, missing: JSON.stringify(written.missing), assembled_at: at, posted_at: null };
  await tx
    .insertInto('postmortem')
    .values({ incident_id: incidentId, ...values })
    .onConflict((conflict) => conflict.column('incident_id').doUpdateSet(values))
    .execute();
  await keepProposedCases(tx, { incidentId, cases: written.cases, at });
}

export async function findPostmortem(db: Db, incidentId: number): Promise<Row<'postmortem'> | undefined> {
  return db.selectFrom('postmortem').selectAll().where('incident_id', '=', incidentId).executeTakeFirst();
}

export async function markPosted(db: Db, incidentId: number, at: Date): Promise<void> {
  await db.updateTable('postmortem').set({ posted_at: at }).where('incident_id', '=', incidentId).execute();
}
