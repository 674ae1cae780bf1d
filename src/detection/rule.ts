import type { Category, Severity } from '../db/schema.ts';

export type RuleId =
  | 'quality.score'
  | 'quality.format'
  | 'quality.length'
  | 'quality.refusal'
  | 'quality.hallucination'
  | 'quality.drift'
  | 'outage.errors'
  | 'outage.latency'
  | 'outage.health'
  | 'outage.provider'
  | 'cost.tokens'
  | 'cost.request'
  | 'cost.spike'
  | 'cost.share'
  | 'cost.spend'
  | 'safety.pii'
  | 'safety.policy'
  | 'safety.classifier'
  | 'safety.user_flag';

/** What a rule says about one service at one time. No data and too little of it are states, never "ok". */
export interface RuleVerdict {
  rule: RuleId;
  state: 'ok' | 'firing' | 'insufficient' | 'no-data';
  value: number | null;
  baseline: number | null;
  n: number;
  baselineN: number;
  /** One-sided 95 % bounds of the value. */
  lower: number | null;
  upper: number | null;
  /** In the unit of the value. */
  threshold: number | null;
  /** Not only the value but its one-sided 95 % bound is past the threshold. */
  pastBound: boolean;
}

export function categoryOf(rule: RuleId): Category {
  return rule.slice(0, rule.indexOf('.')) as Category;
}

/** Policy: safety is always sev1; any other rule is sev1 when its bound is past the threshold, else sev2. */
export function severityOf(verdict: Pick<RuleVerdict, 'rule' | 'pastBound'>): Severity {
  return categoryOf(verdict.rule) === 'safety' || verdict.pastBound ? 'sev1' : 'sev2';
}
