import { shareBelow } from '../compare/shares.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, newestCalls, OPENS, shipped } from '../shipped.ts';

export const QUALITY_FORMAT = { calls: 1_000, minShare: 0.95 } as const;

/**
 * Policy: fires when fewer than 95 % of the last 1,000 calls with a verdict had the right format; past its
 * bound when Wilson's one-sided 95 % upper bound is below 95 % too. Fewer than 1,000 verdicts are
 * insufficient.
 */
export const qualityFormat: Rule<'window'> = {
  id: 'quality.format',
  warning: false,
  metric: 'Format compliance',
  title: 'Format compliance fell',
  policy: 'fewer than the threshold of the newest calls with a verdict had the right format',
  unit: 'share',
  neutral: 1,
  defaults: shipped({
    threshold: QUALITY_FORMAT.minShare,
    clear_threshold: 0.965,
    quiet_minutes: 30,
    window_calls: QUALITY_FORMAT.calls,
    min_samples: QUALITY_FORMAT.calls,
    ...OPENS.atOnce,
    ...ESCALATES.quality,
  }),
  asks: ({ window_calls }) => ({ window: newestCalls('format', window_calls) }),
  judge: ({ window }, settings) => verdictOf('quality.format', shareBelow(window, settings)),
};
