import { shareAboveWith } from '../compare/shares.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, lastMinutes, shipped } from '../shipped.ts';

/** Two errors of thirty calls are 7 %, and come every day. */
const LEAST_ERRORS = 5;

/**
 * Policy: fires when more than 5 % of the calls of the last 5 minutes failed, and at least 5 calls did; past its bound
 * when Wilson's one-sided 95 % lower bound is above 5 % too.
 */
export const outageErrors: Rule<'window'> = {
  id: 'outage.errors',
  warning: false,
  metric: 'Error rate',
  title: 'Calls fail',
  policy: 'more than the threshold of the calls in the window failed, and at least 5 of them',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: 0.05,
    clear_threshold: 0.03,
    window_minutes: 5,
    min_samples: LEAST_ERRORS,
    quiet_minutes: 15,
    ...ESCALATES.outage,
  }),
  asks: ({ window_minutes }) => ({ window: lastMinutes('errors', window_minutes) }),
  judge: ({ window }, settings) => verdictOf('outage.errors', shareAboveWith(window, LEAST_ERRORS, settings)),
};
