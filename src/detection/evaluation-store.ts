import type { Db } from '../db/database.ts';
import type { RuleId, RuleVerdict } from './rule.ts';

export interface StoredEvaluation extends RuleVerdict {
  id: number;
  at: Date;
}

/** Keeps one verdict with its numbers, whatever its state. Returns its id. */
export async function recordEvaluation(
  db: Db,
  verdict: RuleVerdict,
  of: { service: string; environment: string; at: Date },
): Promise<number> {
  const row = await db
    .insertInto('evaluation')
    .values({
      service: of.service,
      environment: of.environment,
      at: of.at,
      rule: verdict.rule,
      state: verdict.state,
      value: verdict.value,
      baseline: verdict.baseline,
      n: verdict.n,
      baseline_n: verdict.baselineN,
      lower: verdict.lower,
      upper: verdict.upper,
      threshold: verdict.threshold,
      past_bound: verdict.pastBound,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

/** Verdicts with `from` ≤ time < `to`, oldest first; of one rule when it is named. */
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
    .$if(rule !== undefined, (query) => query.where('rule', '=', rule ?? ''))
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
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
  }));
}
