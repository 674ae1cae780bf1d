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
    return `${shown} against ${again(baseline, unit)} (${[...change, ...count, ...boundOf(verdict, unit)].join(', ')})`;
  }
  const isWorseBelow = WORSE_BELOW.has(verdict.rule);
  const limit =
    threshold === null || unit === 'events'
      ? []
      : [`${again(threshold, unit)} ${isWorseBelow ? 'wanted' : 'allowed'}`];
  const facts = [...limit, ...count, ...boundOf(verdict, unit)];
  return facts.length === 0 ? shown : `${shown} (${facts.join(', ')})`;
}

function boundOf({ rule, lower, upper }: Described, unit: Rule['unit']): string[] {
  const isWorseBelow = WORSE_BELOW.has(rule);
  const bound = isWorseBelow ? upper : lower;
  if (bound === null || unit === 'events') return [];
  return [`${isWorseBelow ? 'at most' : 'at least'} ${again(bound, unit)} at 95 %`];
}

const COUNTED: ReadonlySet<Rule['unit']> = new Set(['ms', 'chars', 'tokens']);

/** A further number of the same line: its unit is said already. */
function again(value: number, unit: Rule['unit']): string {
  return COUNTED.has(unit) ? whole(value) : amount(value, unit);
}

/** A number with its unit: "0.71", "94.5 %", "1,240 ms", "$62.10/hour". */
export function amount(value: number, unit: Rule['unit']): string {
  switch (unit) {
    case 'share':
      return percent(value);
    case 'score':
    case 'index':
      return value.toFixed(2);
    case 'ms':
      return `${whole(value)} ms`;
    case 'chars':
      return `${whole(value)} characters`;
    case 'tokens':
      return `${whole(value)} tokens`;
    case 'usd':
      return `$${value < 0.1 ? value.toPrecision(2) : value.toFixed(2)}`;
    case 'usd/hour':
      return `$${value.toFixed(2)}/hour`;
    case 'events':
      return `${whole(value)} ${value === 1 ? 'call' : 'calls'}`;
  }
}

export function titleOf(rule: RuleId): string {
  return ruleOf(rule)?.title ?? rule;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(0)}`;
}
