import { largestAbove } from '../compare/levels.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, OPENS, shipped, windowAndBaseline } from '../shipped.ts';

/**
 * Policy: fires on a single request of the last 15 minutes that took more than 3 times the tokens of the baseline's
 * 95th percentile and more than any request of the baseline, known from at least 200: where large ones are usual, one
 * more is no news. Never past a bound: one request is a ticket, not a page.
 */
export const costSpike: Rule<'window' | 'baseline'> = {
  id: 'cost.spike',
  warning: false,
  metric: 'Largest request',
  title: 'A request took far more tokens than usual',
  policy:
    'one request took more than threshold × the tokens of the 95th percentile of the baseline, and more than any of it',
  unit: 'tokens',
  neutral: 1,
  defaults: shipped({
    threshold: 3,
    clear_threshold: 3,
    window_minutes: 15,
    min_samples: 1,
    min_baseline: 200,
    ...OPENS.atOnce,
    ...ESCALATES.cost,
  }),
  asks: (settings) => windowAndBaseline('largest', settings),
  judge: (readings, settings) => verdictOf('cost.spike', largestAbove(readings, settings)),
};
