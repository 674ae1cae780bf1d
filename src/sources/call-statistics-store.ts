import { type SelectQueryBuilder, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Database } from '../db/schema.ts';
import type { Interval } from './call.ts';

/** Whose calls, and when: `from` ≤ time < `to`. */
export interface CallWindow extends Interval {
  service: string;
  environment: string;
}

/** `sd` is the sample's (n − 1); null where n is too small to have one. */
export interface ScoreSummary {
  n: number;
  mean: number | null;
  sd: number | null;
}

/** Scores of a window, 0..1, leaving out the calls inside any of `excluding`. */
export async function scoreSummary(
  db: Db,
  window: CallWindow & { excluding: Interval[] },
): Promise<ScoreSummary> {
  let query = callsIn(db, window);
  for (const { from, to } of window.excluding) {
    query = query.where((eb) => eb.or([eb('at', '<', from), eb('at', '>=', to)]));
  }
  const row = await query
    .select([
      sql<number>`count(quality)`.as('n'),
      sql<number | null>`avg(quality)`.as('mean'),
      sql<number | null>`stddev_samp(quality)`.as('sd'),
    ])
    .executeTakeFirstOrThrow();
  return { n: row.n, mean: row.mean, sd: row.sd };
}

/**
 * Services with a call at or after `since`. Steps from one to the next in the index, however many calls they
 * have.
 */
export async function activeServices(db: Db, { since }: { since: Date }): Promise<ServiceName[]> {
  const found = await sql<ServiceName>`
    with recursive pair as (
      (select service, environment from call order by service, environment limit 1)
      union all
      select next.service, next.environment from pair cross join lateral
        (select service, environment from call where (service, environment) > (pair.service, pair.environment)
          order by service, environment limit 1) next)
    select service, environment from pair where exists (select 1 from call
      where call.service = pair.service and call.environment = pair.environment and call.at >= ${since})
    order by service, environment`.execute(db);
  return found.rows;
}

export interface ServiceName {
  service: string;
  environment: string;
}

export interface MinuteSum {
  minute: Date;
  n: number;
  sum: number;
}

/** Scores by minute, oldest first; minutes without a scored call are left out. */
export async function scoreMinutes(db: Db, window: CallWindow): Promise<MinuteSum[]> {
  return callsIn(db, window)
    .select([minute.as('minute'), sql<number>`count(*)`.as('n'), sql<number>`sum(quality)`.as('sum')])
    .where('quality', 'is not', null)
    .groupBy(minute)
    .orderBy('minute')
    .execute();
}

/** Format verdicts by minute, oldest first: `sum` is how many passed. */
export async function formatMinutes(db: Db, window: CallWindow): Promise<MinuteSum[]> {
  const passed = sql<number>`count(*) filter (where format_ok)`;
  return callsIn(db, window)
    .select([minute.as('minute'), sql<number>`count(*)`.as('n'), passed.as('sum')])
    .where('format_ok', 'is not', null)
    .groupBy(minute)
    .orderBy('minute')
    .execute();
}

const minute = sql<Date>`date_trunc('minute', at)`;

export interface VerdictTotals {
  scored: { n: number; mean: number | null };
  format: { n: number; passed: number };
}

export async function verdictTotals(db: Db, window: CallWindow): Promise<VerdictTotals> {
  const row = await callsIn(db, window)
    .select([
      sql<number>`count(quality)`.as('scored'),
      sql<number | null>`avg(quality)`.as('mean'),
      sql<number>`count(format_ok)`.as('formatted'),
      sql<number>`count(*) filter (where format_ok)`.as('passed'),
    ])
    .executeTakeFirstOrThrow();
  return { scored: { n: row.scored, mean: row.mean }, format: { n: row.formatted, passed: row.passed } };
}

/** Calls of a window, those that failed the format or scored below `passScore`, and the users who got one of them. */
export async function exposure(
  db: Db,
  window: CallWindow,
  passScore: number,
): Promise<{ calls: number; badCalls: number; exposedUsers: number }> {
  const isBad = sql`(format_ok is false or coalesce(quality < ${passScore}, false))`;
  return callsIn(db, window)
    .select([
      sql<number>`count(*)`.as('calls'),
      sql<number>`count(*) filter (where ${isBad})`.as('badCalls'),
      sql<number>`count(distinct user_id) filter (where ${isBad})`.as('exposedUsers'),
    ])
    .executeTakeFirstOrThrow();
}

/**
 * One combination of prompt and model that answered calls; `scoreSquares` is the sum of the squared scores.
 */
export interface ServedVariant {
  promptName: string | null;
  promptVersion: string | null;
  promptSha256: string | null;
  requestModel: string | null;
  responseModel: string | null;
  n: number;
  firstAt: Date;
  lastAt: Date;
  scored: number;
  scoreSum: number;
  scoreSquares: number;
  formatted: number;
  formatPassed: number;
}

/**
 * What served at or after `since`, the variant with most calls first. Stubs of calls not seen yet are left
 * out.
 */
export async function servedSince(db: Db, of: ServiceName & { since: Date }): Promise<ServedVariant[]> {
  return db
    .selectFrom('call')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('at', '>=', of.since)
    .where('span_seen', '=', true)
    .groupBy(['prompt_name', 'prompt_version', 'prompt_sha256', 'request_model', 'response_model'])
    .select([
      'prompt_name as promptName',
      'prompt_version as promptVersion',
      'prompt_sha256 as promptSha256',
      'request_model as requestModel',
      'response_model as responseModel',
      sql<number>`count(*)`.as('n'),
      sql<Date>`min(at)`.as('firstAt'),
      sql<Date>`max(at)`.as('lastAt'),
      sql<number>`count(quality)`.as('scored'),
      sql<number>`coalesce(sum(quality), 0)`.as('scoreSum'),
      sql<number>`coalesce(sum(quality * quality), 0)`.as('scoreSquares'),
      sql<number>`count(format_ok)`.as('formatted'),
      sql<number>`count(*) filter (where format_ok)`.as('formatPassed'),
    ])
    .orderBy('n', 'desc')
    .orderBy('firstAt')
    .execute();
}

function callsIn(db: Db, window: CallWindow): SelectQueryBuilder<Database, 'call', object> {
  return db
    .selectFrom('call')
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('at', '>=', window.from)
    .where('at', '<', window.to);
}
