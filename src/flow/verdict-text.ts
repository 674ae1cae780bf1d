import type { RuleVerdict } from '../detection/rule.ts';

const METRICS: Record<string, string> = {
  'quality.score': 'Quality score',
  'quality.format': 'Format compliance',
};

/** One line with the numbers: "Quality score 0.71 against 0.86 (−17 %, n = 412, 95 % bound 0.74)". */
export function describeVerdict(verdict: RuleVerdict): string {
  const metric = METRICS[verdict.rule] ?? verdict.rule;
  if (verdict.state === 'no-data') return `${metric}: no data.`;
  if (verdict.state === 'insufficient') {
    return `${metric}: insufficient data (n = ${verdict.n}, baseline n = ${verdict.baselineN}).`;
  }
  return verdict.rule === 'quality.format' ? describeShare(metric, verdict) : describeScore(metric, verdict);
}

function describeScore(metric: string, verdict: RuleVerdict): string {
  const { value, baseline, n, upper } = verdict;
  if (value === null || baseline === null) return `${metric} is unknown.`;
  const change = baseline === 0 ? '' : `${signed((value / baseline - 1) * 100)} %, `;
  return `${metric} ${value.toFixed(2)} against ${baseline.toFixed(2)} (${change}n = ${n}${bound(upper?.toFixed(2))})`;
}

function describeShare(metric: string, verdict: RuleVerdict): string {
  const { value, threshold, n, upper } = verdict;
  if (value === null || threshold === null) return `${metric} is unknown.`;
  const wanted = `${percent(threshold)} wanted`;
  return `${metric} ${percent(value)} (${wanted}, n = ${n}${bound(upper === null ? undefined : percent(upper))})`;
}

export function titleOf(verdict: RuleVerdict): string {
  return verdict.rule === 'quality.format' ? 'Format compliance fell' : 'Answers got worse';
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

const bound = (upper: string | undefined) => (upper === undefined ? '' : `, at most ${upper} at 95 %`);

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(0)}`;
}
