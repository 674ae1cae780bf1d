import { sql } from 'kysely';
import type { Db } from './database.ts';
import type { Row } from './schema.ts';

/** Work to be done after the transaction that decided it. */
export interface NewJob {
  kind: string;
  payload: Record<string, unknown>;
  runAt: Date;
  /** Jobs of one lane run one after the other, in the order they were enqueued. */
  lane?: string;
  /** A job with a key is enqueued once, ever. */
  dedupeKey?: string;
}

export type Job = Pick<
  Row<'job'>,
  'id' | 'kind' | 'lane' | 'payload' | 'attempts' | 'last_error' | 'created_at'
>;

/** True when a part of the work may be done: also after an attempt that a rate limit ended, which is not counted. */
export const wasBegun = (job: Pick<Job, 'attempts' | 'last_error'>) =>
  job.attempts > 1 || job.last_error !== null;

/** Enqueues inside the caller's transaction. */
export async function enqueue(db: Db, jobs: NewJob | NewJob[]): Promise<void> {
  const list = Array.isArray(jobs) ? jobs : [jobs];
  if (list.length === 0) return;
  const rows = list.map((job) => ({
    kind: job.kind,
    lane: job.lane ?? null,
    dedupe_key: job.dedupeKey ?? null,
    payload: JSON.stringify(job.payload),
    run_at: job.runAt,
    held_until: null,
    held_by: null,
    last_error: null,
    finished_at: null,
  }));
  await db
    .insertInto('job')
    .values(rows)
    .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
    .execute();
}

/** Some kinds of job, or all the others. */
export interface JobKinds {
  choose: 'only' | 'others';
  of: readonly string[];
}

/**
 * Takes up to `limit` due jobs for `leaseMs` of the database's clock. A lane's later jobs wait for its earlier
 * ones, whether those are running, backing off or not yet due. `kinds` restricts it to some kinds, or to all others.
 */
export async function claim(
  db: Db,
  {
    owner,
    now,
    limit,
    leaseMs,
    kinds,
  }: { owner: string; now: Date; limit: number; leaseMs: number; kinds?: JobKinds | undefined },
): Promise<Job[]> {
  const isOurs =
    kinds === undefined ? sql`true` : sql`(j.kind in (${sql.join(kinds.of)})) = ${kinds.choose === 'only'}`;
  const result = await sql<Job>`
    update job set held_by = ${owner}, attempts = attempts + 1,
      held_until = clock_timestamp() + make_interval(secs => ${leaseMs / 1000}::float8)
    where id in (
      select j.id from job j
      where j.state = 'ready' and j.run_at <= ${now} and ${isOurs}
        and (j.held_until is null or j.held_until < clock_timestamp())
        and (j.lane is null or not exists (
          select 1 from job earlier where earlier.lane = j.lane and earlier.state = 'ready' and earlier.id < j.id))
      order by j.run_at, j.id limit ${limit} for update skip locked)
    returning id, kind, lane, payload, attempts, last_error, created_at`.execute(db);
  return result.rows;
}

/** Lengthens a running job's lease; false when it was lost to another worker. */
export async function extend(db: Db, held: { id: number; owner: string; leaseMs: number }): Promise<boolean> {
  const result = await sql`
    update job set held_until = clock_timestamp() + make_interval(secs => ${held.leaseMs / 1000}::float8)
    where id = ${held.id} and held_by = ${held.owner} and state = 'ready'`.execute(db);
  return Number(result.numAffectedRows ?? 0) > 0;
}

export async function finish(db: Db, held: { id: number; owner: string }): Promise<void> {
  await sql`update job set state = 'done', held_by = null, held_until = null, finished_at = clock_timestamp()
    where id = ${held.id} and held_by = ${held.owner}`.execute(db);
}

/** Lets the job come again after `delayMs`; `counted` false keeps the attempt uncounted, as for a 429. */
export async function putBack(
  db: Db,
  held: { id: number; owner: string; delayMs: number; error: string; counted: boolean },
): Promise<void> {
  await sql`update job set held_by = null, last_error = ${held.error},
      attempts = attempts - ${held.counted ? 0 : 1},
      held_until = clock_timestamp() + make_interval(secs => ${held.delayMs / 1000}::float8)
    where id = ${held.id} and held_by = ${held.owner}`.execute(db);
}

export async function bury(db: Db, held: { id: number; owner: string; error: string }): Promise<void> {
  await sql`update job set state = 'dead', held_by = null, held_until = null, last_error = ${held.error},
      finished_at = clock_timestamp()
    where id = ${held.id} and held_by = ${held.owner}`.execute(db);
}

/** Lets what backs off in a lane be tried now, when somebody may have mended what was in the way. */
export async function hurry(db: Db, lane: string): Promise<void> {
  await sql`update job set held_until = null
    where lane = ${lane} and state = 'ready' and held_by is null`.execute(db);
}

/** Frees every lease. Only for the embedded database, whose lock proves that no other process can hold one. */
export async function freeAllLeases(db: Db): Promise<void> {
  await sql`update job set held_by = null, held_until = null where state = 'ready' and held_by is not null`.execute(
    db,
  );
  await sql`update inbox set held_until = clock_timestamp() where state = 'received'`.execute(db);
}

/** True when a later job of the same kind waits in the lane, so that this one's edit would be overwritten. */
export async function isSuperseded(
  db: Db,
  job: { id: number; kind: string; lane: string },
): Promise<boolean> {
  const later = await db
    .selectFrom('job')
    .select('id')
    .where('state', '=', 'ready')
    .where('lane', '=', job.lane)
    .where('kind', '=', job.kind)
    .where('id', '>', job.id)
    .limit(1)
    .execute();
  return later.length > 0;
}

/** Jobs that wait and jobs that were given up, by kind. */
export async function jobCounts(db: Db): Promise<{ kind: string; state: string; n: number }[]> {
  return db
    .selectFrom('job')
    .where('state', '!=', 'done')
    .groupBy(['kind', 'state'])
    .select(['kind', 'state', sql<number>`count(*)`.as('n')])
    .orderBy('kind')
    .orderBy('state')
    .execute();
}
