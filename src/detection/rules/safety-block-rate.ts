import { pointsAbove } from '../compare/shares.ts';
import type { Rule } from '../rule.ts';
import { OPENS, shipped, windowAndBaseline } from '../shipped.ts';

/**
 * Policy: what the check before delivery blocked harmed nobody, so a block is never an incident; when the share of
 * blocked outputs of the last 30 minutes is 10 points above its baseline, the ops channel is told. From at least 100
 * checks against 200.
 */
export const safetyBlockRate: Rule<'window' | 'baseline'> = {
  id: 'safety.policy',
  warning: true,
  metric: 'Share of outputs blocked before delivery',
  title: 'More outputs are blocked before delivery',
  policy:
    'the share of checked outputs that were blocked is at least the threshold (in points) above the baseline',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: 0.1,
    clear_threshold: 0.05,
    window_minutes: 30,
    min_samples: 100,
    min_baseline: 200,
    ...OPENS.gauge,
    sev1: { action: 'notify', after_minutes: 0 },
    sev2: { action: 'notify', after_minutes: 0 },
  }),
  asks: (settings) => windowAndBaseline('blocks', settings),
  judge: (readings, settings) => ({
    rule: 'safety.policy',
    warning: true,
    ...pointsAbove(readings, settings),
  }),
};
