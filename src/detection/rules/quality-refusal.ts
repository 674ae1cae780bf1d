import { pointsAbove } from '../compare/shares.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, shipped, windowAndBaseline } from '../shipped.ts';

/**
 * Policy: fires when the share of outputs that refuse in the last 30 minutes is at least 10 points above the
 * baseline's, from at least 100 outputs against 200; past its bound when the one-sided 95 % bound of the difference
 * (Newcombe) is above 10 points too.
 */
export const qualityRefusal: Rule<'window' | 'baseline'> = {
  id: 'quality.refusal',
  warning: false,
  metric: 'Refusal rate',
  title: 'Answers refuse',
  policy: 'the share of outputs that refuse is at least the threshold (in points) above the baseline',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: 0.1,
    clear_threshold: 0.05,
    window_minutes: 30,
    min_samples: 100,
    min_baseline: 200,
    ...ESCALATES.quality,
  }),
  asks: (settings) => windowAndBaseline('refusals', settings),
  judge: (readings, settings) => verdictOf('quality.refusal', pointsAbove(readings, settings)),
};
