import { knownOf } from '../compare/readings.ts';
import { shareAtLeast } from '../compare/shares.ts';
import { unjudged, verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, lastMinutes, OPENS, shipped } from '../shipped.ts';

/** One failed check may be the check's own. */
const MIN_FAILED = 2;

/**
 * Policy: fires when at least half of the health checks of the last 3 minutes failed, and at least two of them; past
 * its bound when Wilson's one-sided 95 % lower bound is at half too, which three failures in a row are.
 */
export const outageHealth: Rule<'window'> = {
  id: 'outage.health',
  warning: false,
  metric: 'Failed health checks',
  title: 'The health check fails',
  policy: 'at least the threshold of the health checks in the window failed, and at least two of them',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: 0.5,
    clear_threshold: 0.2,
    window_minutes: 3,
    min_samples: 2,
    ...OPENS.status,
    ...ESCALATES.status,
  }),
  asks: ({ window_minutes }) => ({ window: lastMinutes('health', window_minutes) }),
  judge: ({ window }, settings) => {
    const judgement = shareAtLeast(window, settings);
    const known = knownOf(window);
    const failed = known === null ? 0 : Math.round(known.value * known.n);
    const isOne = judgement.state === 'firing' && failed < MIN_FAILED;
    return verdictOf('outage.health', isOne ? unjudged('insufficient', judgement) : judgement);
  },
};
