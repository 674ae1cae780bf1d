import { sql } from 'kysely';
import type { Db } from './database.ts';

/** Jobs of one lane that fail now: given up within `withinMs`, or tried `attempts` times and more. */
export interface FailingJobs {
  n: number;
  /** What the newest of them failed with. */
  lastError: string | null;
}

export async function failingJobs(
  db: Db,
  { lane, attempts, withinMs }: { lane: string; attempts: number; withinMs: number },
): Promise<FailingJobs> {
  const { rows } = await sql<FailingJobs>`
    select count(*) as n, (array_agg(last_error order by id desc))[1] as "lastError" from job
    where lane = ${lane} and ((state = 'ready' and attempts >= ${attempts} and last_error is not null)
      or (state = 'dead' and finished_at > clock_timestamp() - make_interval(secs => ${withinMs / 1000}::float8)))`.execute(
    db,
  );
  return rows[0] ?? { n: 0, lastError: null };
}
