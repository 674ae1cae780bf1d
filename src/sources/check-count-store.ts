import { startOfMinute } from 'date-fns';
import { sql } from 'kysely';
import type { Db } from '../db/database.ts';

/** One answer of the check before delivery, as it is counted. */
export interface CheckOutcome {
  service: string;
  environment: string;
  verdict: string;
  /** What decided it: `pii`, `policy`, `blocked`, `classifier`, `failure` or `none`. */
  reason: string;
}

interface CheckCount extends CheckOutcome {
  minute: Date;
  n: number;
}

/** Counts kept in memory, so that answering needs no database. */
export interface CheckCounts {
  add(outcome: CheckOutcome, now: Date): void;
  /** All counts so far, which start again from nothing. */
  take(): CheckCount[];
  /** Gives back counts that could not be stored. */
  putBack(counts: readonly CheckCount[]): void;
}

/** So many different ones are kept while the database is away; then new ones are lost and the old ones go on. */
const KEPT_AT_MOST = 20_000;
const ROWS_AT_ONCE = 1_000;

export function createCheckCounts(): CheckCounts {
  let counts = new Map<string, CheckCount>();
  const addCount = (count: CheckCount) => {
    const { service, environment, verdict, reason, minute } = count;
    const key = JSON.stringify([service, environment, minute.getTime(), verdict, reason]);
    const known = counts.get(key);
    if (known !== undefined) known.n += count.n;
    else if (counts.size < KEPT_AT_MOST) counts.set(key, { ...count });
  };
  return {
    add: (outcome, now) => addCount({ ...outcome, minute: startOfMinute(now), n: 1 }),
    take() {
      const taken = [...counts.values()];
      counts = new Map();
      return taken;
    },
    putBack: (taken) => taken.forEach(addCount),
  };
}

/** Adds what was counted to the stored counts, and keeps it for the next time when that fails. */
export async function flushCheckCounts(db: Db, counts: CheckCounts): Promise<void> {
  const taken = counts.take().sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  for (let from = 0; from < taken.length; from += ROWS_AT_ONCE) {
    try {
      await addToStored(db, taken.slice(from, from + ROWS_AT_ONCE));
    } catch (thrown) {
      counts.putBack(taken.slice(from));
      throw thrown;
    }
  }
}

// Replicas that add at once take the rows in the same order, so that neither waits for the other for ever.
function orderOf({ service, environment, minute, verdict, reason }: CheckCount): string {
  return [service, environment, minute.toISOString(), verdict, reason].join('\n');
}

async function addToStored(db: Db, rows: CheckCount[]): Promise<void> {
  await db
    .insertInto('check_count')
    .values(
      rows.map(({ service, environment, minute, verdict, reason, n }) => ({
        service,
        environment,
        minute,
        verdict,
        reason,
        n,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['service', 'environment', 'minute', 'verdict', 'reason'])
        .doUpdateSet({ n: sql`check_count.n + excluded.n` }),
    )
    .execute();
}

/** How many outputs were checked in `from` ≤ minute < `to`, and how many of them were blocked. */
export async function blockRate(
  db: Db,
  of: { service: string; environment: string; from: Date; to: Date },
): Promise<{ n: number; blocked: number }> {
  const row = await db
    .selectFrom('check_count')
    .select([
      sql<number>`coalesce(sum(n), 0)::float8`.as('n'),
      sql<number>`coalesce(sum(n) filter (where verdict = 'block'), 0)::float8`.as('blocked'),
    ])
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('minute', '>=', of.from)
    .where('minute', '<', of.to)
    .executeTakeFirstOrThrow();
  return row;
}

/** Drops counts older than `before`. */
export async function pruneCheckCounts(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('check_count').where('minute', '<', before).execute();
}

/** Everything that is still counted, by service and outcome. */
export async function checkTotals(db: Db): Promise<(CheckOutcome & { n: number })[]> {
  return db
    .selectFrom('check_count')
    .groupBy(['service', 'environment', 'verdict', 'reason'])
    .select(['service', 'environment', 'verdict', 'reason'])
    .select(sql<number>`sum(n)::float8`.as('n'))
    .orderBy('service')
    .orderBy('environment')
    .orderBy('verdict')
    .orderBy('reason')
    .execute();
}
