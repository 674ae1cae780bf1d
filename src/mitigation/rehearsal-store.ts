import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type Candidate, candidateKey } from './candidate.ts';
import type { RehearsalResult, ReplayRecord, Side } from './rehearsal.ts';

export type Rehearsal = Omit<Row<'rehearsal'>, 'result'> & { result: RehearsalResult | null };

const asRehearsal = (row: Row<'rehearsal'>): Rehearsal => ({
  ...row,
  result: row.result as RehearsalResult | null,
});

/** Keeps which calls of the incident are replayed; those that were chosen before stay the ones. */
export async function chooseCalls(
  tx: Tx,
  incidentId: number,
  chosen: readonly { callId: number; side: Side }[],
): Promise<void> {
  if (chosen.length === 0) return;
  const rows = chosen.map(({ callId, side }) => ({ incident_id: incidentId, call_id: callId, side }));
  await tx
    .insertInto('rehearsal_call')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function chosenCalls(db: Db, incidentId: number): Promise<{ callId: number; side: Side }[]> {
  return db
    .selectFrom('rehearsal_call')
    .select(['call_id as callId', 'side'])
    .where('incident_id', '=', incidentId)
    .orderBy('call_id')
    .execute();
}

export interface AskedRehearsal {
  incidentId: number;
  candidate: Candidate;
  role: Rehearsal['role'];
  name: string;
  at: Date;
}

/** Asks for a state to be rehearsed; one that was asked for before stays as it is. `isNew`: somebody must do it. */
export async function askRehearsal(db: Db, asked: AskedRehearsal): Promise<{ id: number; isNew: boolean }> {
  const { incidentId, candidate, role, name, at } = asked;
  const stateKey = candidateKey(candidate);
  const made = await db
    .insertInto('rehearsal')
    .values({
      incident_id: incidentId,
      state_key: stateKey,
      state: JSON.stringify(candidate),
      role,
      name,
      job_id: null,
      result: null,
      reason: null,
      asked_at: at,
      settled_at: null,
    })
    .onConflict((conflict) => conflict.columns(['incident_id', 'state_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made !== undefined) return { id: made.id, isNew: true };
  const known = await db
    .selectFrom('rehearsal')
    .select('id')
    .where('incident_id', '=', incidentId)
    .where('state_key', '=', stateKey)
    .executeTakeFirstOrThrow();
  return { id: known.id, isNew: false };
}

export async function linkRehearsal(db: Db, mitigationId: number, rehearsalId: number): Promise<void> {
  await db
    .insertInto('mitigation_rehearsal')
    .values({ mitigation_id: mitigationId, rehearsal_id: rehearsalId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes what waits for the incident, and what this same job took before it was cut short; in the order of asking. */
export async function takeRehearsals(db: Db, incidentId: number, jobId: number): Promise<Rehearsal[]> {
  const rows = await db
    .updateTable('rehearsal')
    .set({ status: 'running', job_id: jobId })
    .where('incident_id', '=', incidentId)
    .where((is) =>
      is.or([is('status', '=', 'waiting'), is.and([is('status', '=', 'running'), is('job_id', '=', jobId)])]),
    )
    .returningAll()
    .execute();
  return rows.map(asRehearsal).sort((a, b) => a.id - b.id);
}

export async function rehearsalOf(db: Db, mitigationId: number): Promise<Rehearsal | undefined> {
  const row = await db
    .selectFrom('rehearsal')
    .innerJoin('mitigation_rehearsal', 'rehearsal_id', 'rehearsal.id')
    .selectAll('rehearsal')
    .where('mitigation_id', '=', mitigationId)
    .executeTakeFirst();
  return row === undefined ? undefined : asRehearsal(row);
}

/** The rehearsal of this state in this incident. */
export async function findRehearsal(
  db: Db,
  incidentId: number,
  candidate: Candidate,
): Promise<Rehearsal | undefined> {
  const row = await db
    .selectFrom('rehearsal')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('state_key', '=', candidateKey(candidate))
    .executeTakeFirst();
  return row === undefined ? undefined : asRehearsal(row);
}

export async function rehearsalsOf(db: Db, incidentId: number): Promise<Rehearsal[]> {
  const rows = await db
    .selectFrom('rehearsal')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .execute();
  return rows.map(asRehearsal);
}

/** Settles it, if it is not settled; false when it was. */
export async function settleRehearsal(
  tx: Tx,
  settled: {
    id: number;
    at: Date;
    outcome: { kind: 'done'; result: RehearsalResult } | { kind: 'not-rehearsed'; reason: string };
  },
): Promise<boolean> {
  const { id, at, outcome } = settled;
  const row = await tx
    .updateTable('rehearsal')
    .set({
      status: outcome.kind,
      settled_at: at,
      result: outcome.kind === 'done' ? JSON.stringify(outcome.result) : null,
      reason: outcome.kind === 'not-rehearsed' ? outcome.reason : null,
    })
    .where('id', '=', id)
    .where('status', 'in', ['waiting', 'running'])
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function saveReplay(
  db: Db,
  replay: ReplayRecord & { rehearsalId: number; callId: number },
): Promise<void> {
  const { rehearsalId, callId, side, verdict, kind, note, costUsd } = replay;
  await db
    .insertInto('rehearsal_replay')
    .values({ rehearsal_id: rehearsalId, call_id: callId, side, verdict, kind, note, cost_usd: costUsd })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function replaysOf(db: Db, rehearsalId: number): Promise<(ReplayRecord & { callId: number })[]> {
  return db
    .selectFrom('rehearsal_replay')
    .select(['call_id as callId', 'side', 'verdict', 'kind', 'note', 'cost_usd as costUsd'])
    .where('rehearsal_id', '=', rehearsalId)
    .orderBy('call_id')
    .execute();
}

/** True when a replay against this state was answered since then, whatever incident of the service it was for. */
export async function answeredLately(
  db: Db,
  of: { service: string; environment: string; candidate: Candidate; since: Date },
): Promise<boolean> {
  const row = await db
    .selectFrom('rehearsal')
    .innerJoin('incident', 'incident.id', 'incident_id')
    .innerJoin('rehearsal_replay', 'rehearsal_id', 'rehearsal.id')
    .select('rehearsal.id')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('state_key', '=', candidateKey(of.candidate))
    .where('asked_at', '>=', of.since)
    .where('kind', '=', 'answered')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Proposals that wait for a decision and show this rehearsal: all of the incident show what is served beside theirs. */
export async function openProposalsShowing(
  db: Db,
  { id, incident_id: incidentId, role }: Pick<Rehearsal, 'id' | 'incident_id' | 'role'>,
): Promise<number[]> {
  const rows = await db
    .selectFrom('mitigation_rehearsal')
    .innerJoin('mitigation', 'mitigation.id', 'mitigation_id')
    .select('mitigation_id')
    .where('incident_id', '=', incidentId)
    .$if(role !== 'current', (query) => query.where('rehearsal_id', '=', id))
    .where('status', '=', 'proposed')
    .orderBy('mitigation_id')
    .execute();
  return rows.map((row) => row.mitigation_id);
}
