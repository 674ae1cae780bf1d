import { levelAtLeast } from '../compare/levels.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, lastMinutes, OPENS, shipped } from '../shipped.ts';

/**
 * Policy: fires when the provider's status page says that a component is out, not only degraded; a page that cannot
 * be read is no data. Never past a bound: what a provider says of itself is not measured here.
 */
export const outageProvider: Rule<'window'> = {
  id: 'outage.provider',
  warning: false,
  metric: 'Provider status',
  title: 'The model provider reports an outage',
  policy: 'the worst component of the status page is at the threshold (0 fine, 0.5 degraded, 1 out)',
  unit: 'index',
  neutral: 0,
  defaults: shipped({
    threshold: 0.75,
    clear_threshold: 0.5,
    window_minutes: 10,
    ...OPENS.status,
    ...ESCALATES.status,
  }),
  asks: ({ window_minutes }) => ({ window: lastMinutes('provider', window_minutes) }),
  judge: ({ window }, settings) => verdictOf('outage.provider', levelAtLeast(window, settings)),
};
