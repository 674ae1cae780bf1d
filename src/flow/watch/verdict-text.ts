import { amount, whole } from '../../detection/amount.ts';
import type { Rule, RuleId, RuleVerdict } from '../../detection/rule.ts';
import { ruleOf } from '../../detection/rules.ts';
import { redact } from '../../redaction.ts';

type Described = Pick<
  RuleVerdict,
  'rule' | 'state' | 'value' | 'baseline' | 'n' | 'baselineN' | 'lower' | 'upper' | 'threshold'
> &
  Partial<Pick<RuleVerdict, 'detail' | 'warning'>>;

/** Where less is worse; anywhere else more is. */
const WORSE_BELOW: ReadonlySet<RuleId> = new Set(['quality.score', 'quality.format', 'quality.length']);

/**
 * One line with the numbers: "Quality score 0.71 against 0.86 (−17 %, n = 412, at most 0.74 at 95 %)". Names that came
 * with the calls are redacted, for the line goes to Slack and to PagerDuty.
 */
export function describeVerdict(verdict: Described): string {
  const rule = ruleOf(verdict.rule, verdict.warning);
  const metric = rule?.metric ?? verdict.rule;
  const detail = verdict.detail === null || verdict.detail === undefined ? '' : `: ${redact(verdict.detail)}`;
  if (verdict.state === 'no-data') return `${metric}: no data${detail}.`;
  if (verdict.state === 'insufficient') {
    return `${metric}: insufficient data (n = ${verdict.n}, baseline n = ${verdict.baselineN})${detail}.`;
  }
  if (verdict.value === null) return `${metric} is unknown${detail}.`;
  return `${metric} ${numbersOf({ ...verdict, value: verdict.value }, rule?.unit ?? 'index')}${detail}`;
}

function numbersOf(verdict: Described & { value: number }, unit: Rule['unit']): string {
  const { value, baseline, threshold, n } = verdict;
  const count = unit === 'events' ? [] : [`n = ${n}`];
  const shown = amount(value, unit);
  if (baseline !== null) {
    const change = baseline === 0 ? [] : [`${signed((value / baseline - 1) * 100)} %`];
    return `${shown} against ${amountAgain(baseline, unit)} (${[...change, ...count, ...boundOf(verdict, unit)].join(', ')})`;
  }
  const isWorseBelow = WORSE_BELOW.has(verdict.rule);
  const limit =
    threshold === null || unit === 'events'
      ? []
      : [`${amountAgain(threshold, unit)} ${isWorseBelow ? 'wanted' : 'allowed'}`];
  const facts = [...limit, ...count, ...boundOf(verdict, unit)];
  return facts.length === 0 ? shown : `${shown} (${facts.join(', ')})`;
}

function boundOf({ rule, lower, upper }: Described, unit: Rule['unit']): string[] {
  const isWorseBelow = WORSE_BELOW.has(rule);
  const bound = isWorseBelow ? upper : lower;
  if (bound === null || unit === 'events') return [];
  return [`${isWorseBelow ? 'at most' : 'at least'} ${amountAgain(bound, unit)} at 95 %`];
}

const COUNTED: ReadonlySet<Rule['unit']> = new Set(['ms', 'chars', 'tokens']);

/** A further number of the same line: its unit is said already. */
export function amountAgain(value: number, unit: Rule['unit']): string {
  return COUNTED.has(unit) ? whole(value) : amount(value, unit);
}

export function titleOf(rule: RuleId): string {
  return ruleOf(rule)?.title ?? rule;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(0)}`;
}
