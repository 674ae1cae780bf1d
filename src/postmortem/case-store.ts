import type { Db } from '../db/database.ts';
import type { EvalCase } from './eval-case.ts';

/** A case of an incident as people see it; numbered from 1 in this order. */
export interface KeptCase {
  readonly id: number;
  readonly callId: number | null;
  readonly definition: EvalCase;
  /** Null when it was proposed from the frozen calls. */
  readonly addedBy: string | null;
}

const byHand = (db: Db, incidentId: number) =>
  db
    .selectFrom('eval_case')
    .where('incident_id', '=', incidentId)
    .where((or) => or.or([or('added_by', 'is not', null), or('dropped_by', 'is not', null)]));

/** Replaces what was proposed; a call that somebody made a case of, or took out, is left as it is. */
export async function keepProposedCases(
  tx: Db,
  { incidentId, cases, at }: { incidentId: number; cases: readonly EvalCase[]; at: Date },
): Promise<void> {
  await tx
    .deleteFrom('eval_case')
    .where('incident_id', '=', incidentId)
    .where('added_by', 'is', null)
    .where('dropped_by', 'is', null)
    .execute();
  const settled = new Set(
    (await byHand(tx, incidentId).select('call_id').execute()).map((row) => row.call_id),
  );
  const rows = cases
    .map((found) => ({ found, callId: /^\d+$/.test(found.callId) ? Number(found.callId) : null }))
    .filter(({ callId }) => callId === null || !settled.has(callId))
    .map(({ found, callId }) => ({ ...rowOf(incidentId, found, at), call_id: callId, added_by: null }));
  if (rows.length > 0) await tx.insertInto('eval_case').values(rows).execute();
}

/** Keeps the case that somebody made of a call, in place of any other of that call. */
export async function keepCase(
  tx: Db,
  {
    incidentId,
    callId,
    made,
    by,
    at,
  }: { incidentId: number; callId: number; made: EvalCase; by: string; at: Date },
): Promise<void> {
  await tx
    .deleteFrom('eval_case')
    .where('incident_id', '=', incidentId)
    .where('call_id', '=', callId)
    .execute();
  await tx
    .insertInto('eval_case')
    .values({ ...rowOf(incidentId, made, at), call_id: callId, added_by: by })
    .execute();
}

function rowOf(incidentId: number, found: EvalCase, at: Date) {
  const definition = JSON.stringify(found);
  return { incident_id: incidentId, definition, proven: found.proven, created_at: at, dropped_by: null };
}

/** False when it is none of the incident's, or was taken out before. */
export async function dropCaseRow(
  tx: Db,
  { incidentId, id, by }: { incidentId: number; id: number; by: string },
): Promise<boolean> {
  const dropped = await tx
    .updateTable('eval_case')
    .set({ dropped_by: by })
    .where('id', '=', id)
    .where('incident_id', '=', incidentId)
    .where('dropped_by', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return dropped !== undefined;
}

/** Without those that were taken out. */
export async function keptCases(db: Db, incidentId: number): Promise<KeptCase[]> {
  const rows = await db
    .selectFrom('eval_case')
    .select(['id', 'call_id as callId', 'definition', 'added_by as addedBy'])
    .where('incident_id', '=', incidentId)
    .where('dropped_by', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(({ definition, ...row }) => ({ ...row, definition: definition as unknown as EvalCase }));
}

export async function casesOf(db: Db, incidentId: number): Promise<EvalCase[]> {
  return (await keptCases(db, incidentId)).map(({ definition }) => definition);
}

/** Calls of which somebody made a case, or took it out. */
export async function callsSettledByHand(db: Db, incidentId: number): Promise<Set<string>> {
  const rows = await byHand(db, incidentId).select('call_id').execute();
  return new Set(rows.map((row) => String(row.call_id)));
}

/** Those that somebody made. */
export async function casesMadeByHand(db: Db, incidentId: number): Promise<EvalCase[]> {
  const kept = await keptCases(db, incidentId);
  return kept.filter(({ addedBy }) => addedBy !== null).map(({ definition }) => definition);
}

/** A proven case of a past incident. */
export interface ServiceCase {
  readonly definition: EvalCase;
  readonly isPrivate: boolean;
}

/** Policy: the newest cases count first; what was declined or was a drill never happened. */
export async function provenCasesOf(
  db: Db,
  { service, environment, limit }: { service: string; environment: string; limit: number },
): Promise<ServiceCase[]> {
  const rows = await db
    .selectFrom('eval_case')
    .innerJoin('incident', 'incident.id', 'eval_case.incident_id')
    .select(['eval_case.definition', 'incident.private'])
    .where('incident.service', '=', service)
    .where('incident.environment', '=', environment)
    .where('incident.drill', '=', false)
    .where('incident.status', '!=', 'declined')
    .where('eval_case.proven', '=', true)
    .where('eval_case.dropped_by', 'is', null)
    .orderBy('eval_case.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    definition: row.definition as unknown as EvalCase,
    isPrivate: row.private,
  }));
}
