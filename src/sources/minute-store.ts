import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import {
  type CallWindow,
  formatMinutes,
  type MinuteSum,
  type ServiceName,
  scoreMinutes,
} from './call-statistics-store.ts';

/** From a minute's roll-up: how many samples, and their sum, signed so that worse is lower. */
interface Counted {
  n: RawBuilder<number | null>;
  sum: RawBuilder<number | null>;
}

const number = (path: string) => sql<number | null>`(stats #>> ${`{${path}}`})::float8`;
const negative = (path: string) => sql<number | null>`-${number(path)}`;

const BY_RULE: Readonly<Record<string, Counted>> = {
  'outage.errors': { n: number('calls'), sum: negative('errors') },
  'quality.refusal': { n: number('refusable'), sum: negative('refused') },
  'quality.hallucination': { n: number('inspected'), sum: negative('hallucinating') },
  'cost.tokens': { n: number('tokens,0'), sum: negative('tokens,1') },
  'cost.request': { n: number('cost,0'), sum: negative('cost,1') },
};

/**
 * What a rule watches, by minute, oldest first, signed so that worse is lower. Null for rules whose start cannot be
 * told from minutes: those about single calls, quantiles and what somebody else measured.
 */
export async function minutesOf(db: Db, of: CallWindow & { rule: string }): Promise<MinuteSum[] | null> {
  if (of.rule === 'quality.score') return scoreMinutes(db, of);
  if (of.rule === 'quality.format') return formatMinutes(db, of);
  const counted = BY_RULE[of.rule];
  return counted === undefined ? null : rolledMinutes(db, of, counted);
}

async function rolledMinutes(db: Db, of: CallWindow, { n, sum }: Counted): Promise<MinuteSum[]> {
  const rows = await db
    .selectFrom('call_rollup')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('span', '=', 'minute')
    .where('start', '>=', of.from)
    .where('start', '<', of.to)
    .select(['start as minute', n.as('n'), sum.as('sum')])
    .orderBy('start')
    .execute();
  return rows.flatMap(({ minute, n: samples, sum: total }) =>
    samples === null || samples === 0 ? [] : [{ minute, n: samples, sum: total ?? 0 }],
  );
}

const HOUR_MS = 3_600_000;

/** Whether it was called at this hour yesterday, give or take one; what is younger than that is taken to be. */
export async function isUsuallyCalled(db: Db, of: ServiceName, now: Date): Promise<boolean> {
  const before = (hours: number) => new Date(now.getTime() - hours * HOUR_MS);
  const minutes = db
    .selectFrom('call_rollup')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('span', '=', 'minute');
  const yesterday = await minutes
    .where('start', '>=', before(25))
    .where('start', '<', before(23))
    .select('start')
    .limit(1)
    .execute();
  if (yesterday.length > 0) return true;
  const older = await minutes.where('start', '<', before(25)).select('start').limit(1).execute();
  return older.length === 0;
}
