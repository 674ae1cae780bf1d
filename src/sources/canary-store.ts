import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Interval } from './call.ts';

/** A canary of one service. */
export interface CanaryKey {
  service: string;
  environment: string;
  canary: string;
}

/** One run: an output and what it was compared to be, or the error of the endpoint. */
export interface CanaryRun extends CanaryKey {
  at: Date;
  output: string | null;
  error: string | null;
  latencyMs: number | null;
  deviates: boolean;
  detail: string | null;
}

export async function saveCanaryRun(db: Db, { latencyMs, ...run }: CanaryRun): Promise<void> {
  await db
    .insertInto('canary_run')
    .values({ ...run, latency_ms: latencyMs })
    .execute();
}

/** Runs that were answered, `from` ≤ time < `to`, in order. */
export async function answeredRuns(
  db: Db,
  { service, environment, canary, from, to }: CanaryKey & Interval,
): Promise<{ id: number; at: Date; deviates: boolean }[]> {
  return db
    .selectFrom('canary_run')
    .select(['id', 'at', 'deviates'])
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('canary', '=', canary)
    .where('at', '>=', from)
    .where('at', '<', to)
    .where('error', 'is', null)
    .orderBy('at')
    .orderBy('id')
    .execute();
}

export async function outputsOf(db: Db, runIds: readonly number[]): Promise<string[]> {
  if (runIds.length === 0) return [];
  const rows = await db
    .selectFrom('canary_run')
    .select('output')
    .where('id', 'in', [...runIds])
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.output ?? '');
}

export interface CanaryOutcome {
  canary: string;
  error: string | null;
  deviates: boolean;
  detail: string | null;
}

/**
 * Of each canary the last two runs and the last two answered runs, `from` ≤ time < `to`, the newest first; these may be
 * the same ones.
 */
export async function lastRuns(
  db: Db,
  { service, environment, from, to }: Omit<CanaryKey, 'canary'> & Interval,
): Promise<CanaryOutcome[]> {
  const { rows } = await sql<CanaryOutcome>`
    select canary, error, deviates, detail from (
      select id, at, canary, error, deviates, detail,
        row_number() over (partition by canary order by at desc, id desc) as place,
        row_number() over (partition by canary, error is null order by at desc, id desc) as place_of_kind
      from canary_run
      where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to}) run
    where place <= 2 or (error is null and place_of_kind <= 2)
    order by at desc, id desc`.execute(db);
  return rows;
}

/** Forgets the runs before `before`. */
export async function pruneCanaryRuns(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('canary_run').where('at', '<', before).execute();
}
