import { meanAbove } from '../compare/means.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, shipped, windowAndBaseline } from '../shipped.ts';

/**
 * Policy: fires when the mean number of tokens per request of the last 15 minutes is more than 1.5 times the baseline's, from at
 * least 50 requests against 200; past its bound when the one-sided 95 % bound of both is above 1.5 times too.
 */
export const costTokens: Rule<'window' | 'baseline'> = {
  id: 'cost.tokens',
  warning: false,
  metric: 'Mean request',
  title: 'Requests take more tokens',
  policy: 'the mean number of tokens per request of the window is above threshold × the mean of the baseline',
  unit: 'tokens',
  neutral: 1,
  defaults: shipped({
    threshold: 1.5,
    clear_threshold: 1.3,
    window_minutes: 15,
    min_samples: 50,
    min_baseline: 200,
    ...ESCALATES.cost,
  }),
  asks: (settings) => windowAndBaseline('tokens', settings),
  judge: (readings, settings) => verdictOf('cost.tokens', meanAbove(readings, settings)),
};
