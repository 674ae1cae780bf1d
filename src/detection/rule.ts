import type { RuleSettings } from '../config/rules.ts';
import type { Category, Severity } from '../db/schema.ts';
import type { Measure, Reading } from '../sources/metric-source.ts';

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
  /** `firing`: the value is past the threshold now; whether that opens anything is for the signal to say. */
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
  /** Past the threshold by the closing gap even at the 99.9 % bound: no second look is needed. */
  unmistakable: boolean;
  /** On the good side of the closing threshold. */
  isClear: boolean;
  /** An early warning opens no room. */
  warning: boolean;
  /** What a person should know beside the numbers: the offender, the component, a judge that changed. */
  detail: string | null;
}

/** One measurement that a rule needs. */
export interface Ask {
  measure: Measure;
  /** `window`: the minutes before now; `baseline`: the 7 days before the window. */
  over:
    | { kind: 'window'; minutes: number }
    /** The last calls of the last `minutes`, or of the last 7 days. */
    | { kind: 'newest'; calls: number; minutes?: number }
    | { kind: 'baseline'; windowMinutes: number };
  /** Also the single outcomes, for a sequential test. */
  wantsOutcomes?: true;
}

/** Readings by the name that the rule gave them; null where the source has none. */
export type Readings<Name extends string> = Readonly<Record<Name, Reading | null>>;

/** One detector: what it asks for, and what it makes of the answers. Pure. */
export interface Rule<Name extends string = string> {
  id: RuleId;
  warning: boolean;
  /** What it watches, for people: "Quality score". */
  metric: string;
  /** How the incident is called: "Answers got worse". */
  title: string;
  /** One sentence. */
  policy: string;
  unit: 'share' | 'score' | 'ms' | 'chars' | 'tokens' | 'usd' | 'usd/hour' | 'events' | 'index';
  /** The threshold's own unit where nothing is wrong: 1 for multiples of a baseline and for shares that pass. */
  neutral: 0 | 1;
  defaults: RuleSettings;
  asks(settings: RuleSettings): Readonly<Record<Name, Ask>>;
  judge(readings: Readings<Name>, settings: RuleSettings): RuleVerdict;
}

export function categoryOf(rule: RuleId): Category {
  return rule.slice(0, rule.indexOf('.')) as Category;
}

/** Policy: safety is always sev1; any other rule is sev1 when its bound is past the threshold, else sev2. */
export function severityOf(verdict: Pick<RuleVerdict, 'rule' | 'pastBound'>): Severity {
  return categoryOf(verdict.rule) === 'safety' || verdict.pastBound ? 'sev1' : 'sev2';
}
