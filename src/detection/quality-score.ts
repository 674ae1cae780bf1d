import type { RuleVerdict } from './rule.ts';
import { isKnown, keptBounds, meanBounds, type Summary } from './statistics.ts';

export const QUALITY_SCORE = {
  windowMs: 30 * 60_000,
  baselineMs: 7 * 24 * 3_600_000,
  maxDropRatio: 0.15,
  minBaselineN: 200,
  minWindowN: 100,
} as const;

/** The share of its baseline that a window must keep. */
export const KEPT_RATIO = 1 - QUALITY_SCORE.maxDropRatio;

/**
 * Policy: fires when the mean score of the last 30 minutes is more than 15 % below the mean of the last 7
 * days outside incidents, from at least 100 scores against 200; past its bound when the one-sided 95 % bound
 * is below too.
 */
export function qualityScoreVerdict({
  window,
  baseline,
}: {
  window: Summary;
  baseline: Summary;
}): RuleVerdict {
  const known = isKnown(window) ? window : null;
  const base = isKnown(baseline) ? baseline : null;
  const bounds = known === null ? null : meanBounds(known);
  const seen = {
    rule: 'quality.score' as const,
    value: known?.mean ?? null,
    baseline: base?.mean ?? null,
    n: window.n,
    baselineN: baseline.n,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    threshold: base === null ? null : KEPT_RATIO * base.mean,
    pastBound: false,
  };
  if (known === null) return { ...seen, state: 'no-data' };
  if (base === null || base.n < QUALITY_SCORE.minBaselineN || known.n < QUALITY_SCORE.minWindowN) {
    return { ...seen, state: 'insufficient' };
  }
  if (known.mean >= KEPT_RATIO * base.mean) return { ...seen, state: 'ok' };
  const kept = keptBounds({ window: known, baseline: base, keptRatio: KEPT_RATIO });
  return { ...seen, state: 'firing', pastBound: kept.upper < 0 };
}
