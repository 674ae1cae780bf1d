import { quantileAbove } from '../compare/quantiles.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, shipped, windowAndBaseline } from '../shipped.ts';

/**
 * Policy: fires when the P99 of the last 10 minutes is above twice the baseline's, from at least 100 calls against
 * 200; past its bound when the one-sided 95 % bound of both is above twice too.
 */
export const outageLatency: Rule<'window' | 'baseline'> = {
  id: 'outage.latency',
  warning: false,
  metric: 'P99 latency',
  title: 'Answers are slow',
  policy: 'the P99 of the window is above threshold × the P99 of the baseline',
  unit: 'ms',
  neutral: 1,
  defaults: shipped({
    threshold: 2,
    clear_threshold: 1.7,
    window_minutes: 10,
    min_samples: 100,
    min_baseline: 200,
    ...ESCALATES.outage,
  }),
  asks: (settings) => windowAndBaseline('latency', settings),
  judge: (readings, settings) => verdictOf('outage.latency', quantileAbove(readings, settings)),
};
