import { quantileBelow } from '../compare/quantiles.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { baselineOf, ESCALATES, newestCalls, shipped } from '../shipped.ts';

/**
 * Policy: fires when the median length of the newest 200 outputs is below half of the baseline's, of at least 200;
 * past its bound when the one-sided 95 % bound of both is below half too.
 */
export const qualityLength: Rule<'window' | 'baseline'> = {
  id: 'quality.length',
  warning: false,
  metric: 'Median output length',
  title: 'Answers collapsed in length',
  policy: 'the median length of the newest outputs is below threshold × the median of the baseline',
  unit: 'chars',
  neutral: 1,
  defaults: shipped({
    threshold: 0.5,
    clear_threshold: 0.6,
    window_calls: 200,
    min_samples: 200,
    min_baseline: 200,
    ...ESCALATES.quality,
  }),
  asks: ({ window_calls, window_minutes }) => ({
    window: newestCalls('length', window_calls),
    baseline: baselineOf('length', window_minutes),
  }),
  judge: (readings, settings) => verdictOf('quality.length', quantileBelow(readings, settings)),
};
