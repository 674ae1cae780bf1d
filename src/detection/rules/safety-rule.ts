import { countAtLeast } from '../compare/levels.ts';
import { verdictOf } from '../judgement.ts';
import type { Rule } from '../rule.ts';
import { ESCALATES, lastMinutes, OPENS, shipped } from '../shipped.ts';

/**
 * Policy: any one event of the last hour fires, at once and at the highest severity; there are no statistics about
 * it, and nothing is ever changed by itself.
 */
export function safetyRule(named: Pick<Rule, 'id' | 'metric' | 'title' | 'policy'>): Rule<'window'> {
  return {
    ...named,
    warning: false,
    unit: 'events',
    neutral: 0,
    defaults: shipped({
      threshold: 1,
      clear_threshold: 0,
      window_minutes: 60,
      ...OPENS.atOnce,
      quiet_minutes: 60,
      ...ESCALATES.safety,
    }),
    asks: ({ window_minutes }) => ({ window: lastMinutes('safety', window_minutes) }),
    judge: ({ window }, settings) => verdictOf(named.id, countAtLeast(window, settings)),
  };
}
