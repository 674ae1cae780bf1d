import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { RuleId, RuleVerdict } from './rule.ts';

/** A verdict with its numbers, as it was said at one poll. */
export type EvaluatedVerdict = Omit<RuleVerdict, 'unmistakable' | 'isClear'>;

export interface StoredEvaluation extends EvaluatedVerdict {
  id: number;
  at: Date;
  source: string;
}

export interface NewEvaluation {
  service: string;
  environment: string;
  at: Date;
  /** The name of the source that the numbers came from. */
  source: string;
  verdict: EvaluatedVerdict;
}

/** Keeps verdicts with their numbers in one statement. Returns their ids, in order. */
export async function recordEvaluations(db: Db, evaluations: readonly NewEvaluation[]): Promise<number[]> {
  if (evaluations.length === 0) return [];
  const records = evaluations.map(({ verdict, ...of }, place) => ({
    place,
    service: of.service,
    environment: of.environment,
    rule: verdict.rule,
    at: of.at,
    state: verdict.state,
    value: verdict.value,
    baseline: verdict.baseline,
    n: verdict.n,
    baseline_n: verdict.baselineN,
    lower: verdict.lower,
    upper: verdict.upper,
    threshold: verdict.threshold,
    past_bound: verdict.pastBound,
    warning: verdict.warning,
    detail: verdict.detail,
    source: of.source,
  }));
  const { rows } = await sql<{ id: number }>`
    insert into evaluation (service, environment, rule, at, state, value, baseline, n, baseline_n, lower, upper,
      threshold, past_bound, warning, detail, source)
    select service, environment, rule, at, state, value, baseline, n, baseline_n, lower, upper,
      threshold, past_bound, warning, detail, source
    from json_to_recordset(${JSON.stringify(records)}::json) as t (place integer, service text, environment text,
      rule text, at timestamptz, state text, value float8, baseline float8, n integer, baseline_n integer,
      lower float8, upper float8, threshold float8, past_bound boolean, warning boolean, detail text, source text)
    order by place
    returning id`.execute(db);
  return rows.map((row) => row.id);
}

/** Verdicts with `from` ≤ time < `to`, oldest first; of one rule when it is named. Early warnings are left out. */
export async function evaluationsBetween(
  db: Db,
  of: { service: string; environment: string; from: Date; to: Date; rule?: RuleId },
): Promise<StoredEvaluation[]> {
  const { rule } = of;
  const rows = await db
    .selectFrom('evaluation')
    .selectAll()
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('at', '>=', of.from)
    .where('at', '<', of.to)
    .where('warning', '=', false)
    .$if(rule !== undefined, (query) => query.where('rule', '=', rule ?? ''))
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map(storedEvaluation);
}

/** For each stretch, in order: when a rule of this service last fired in it; null when none of them did. */
export async function lastFirings(
  db: Db,
  of: {
    service: string;
    environment: string;
    stretches: readonly { from: Date; to: Date }[];
    /** Rules that do not count. */
    without: readonly RuleId[];
  },
): Promise<(Date | null)[]> {
  const stretches = of.stretches.map(({ from, to }, place) => ({ place, since: from, until: to }));
  const { rows } = await sql<{ at: Date | null }>`
    select max(evaluation.at) as at
    from json_to_recordset(${JSON.stringify(stretches)}::json)
      as stretch (place integer, since timestamptz, until timestamptz)
    left join evaluation on service = ${of.service} and environment = ${of.environment}
      and evaluation.at >= since and evaluation.at < until and state = 'firing' and not warning
      and rule not in (select json_array_elements_text(${JSON.stringify(of.without)}::json))
    group by place
    order by place`.execute(db);
  return rows.map((row) => row.at);
}

/** Since when an early warning of this service has been out without a break until now; null when none is. */
export async function firstWarning(
  db: Db,
  of: { service: string; environment: string; rule: RuleId; since: Date },
): Promise<StoredEvaluation | null> {
  const row = await db
    .selectFrom('evaluation')
    .selectAll()
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('rule', '=', of.rule)
    .where('warning', '=', true)
    .where('state', '=', 'firing')
    .where('at', '>=', of.since)
    .orderBy('at')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : storedEvaluation(row);
}

function storedEvaluation(row: Row<'evaluation'>): StoredEvaluation {
  return {
    id: row.id,
    at: row.at,
    rule: row.rule as RuleId,
    state: row.state as RuleVerdict['state'],
    value: row.value,
    baseline: row.baseline,
    n: row.n,
    baselineN: row.baseline_n,
    lower: row.lower,
    upper: row.upper,
    threshold: row.threshold,
    pastBound: row.past_bound,
    warning: row.warning,
    detail: row.detail,
    source: row.source,
  };
}
