import type { RuleVerdict } from './rule.ts';
import { wilsonBounds } from './statistics.ts';

export const QUALITY_FORMAT = { calls: 1_000, minShare: 0.95 } as const;

/**
 * Policy: fires when fewer than 95 % of the last 1,000 calls with a verdict had the right format; past its
 * bound when Wilson's one-sided 95 % upper bound is below 95 % too. Fewer than 1,000 verdicts are
 * insufficient.
 */
export function qualityFormatVerdict({ n, passed }: { n: number; passed: number }): RuleVerdict {
  const bounds = n === 0 ? null : wilsonBounds({ passed, n });
  const seen = {
    rule: 'quality.format' as const,
    value: n === 0 ? null : passed / n,
    baseline: null,
    n,
    baselineN: 0,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    threshold: QUALITY_FORMAT.minShare,
    pastBound: false,
  };
  if (bounds === null) return { ...seen, state: 'no-data' };
  if (n < QUALITY_FORMAT.calls) return { ...seen, state: 'insufficient' };
  if (passed / n >= QUALITY_FORMAT.minShare) return { ...seen, state: 'ok' };
  return { ...seen, state: 'firing', pastBound: bounds.upper < QUALITY_FORMAT.minShare };
}
