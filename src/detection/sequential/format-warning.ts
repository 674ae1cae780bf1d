import type { Rule } from '../rule.ts';
import { QUALITY_FORMAT } from '../rules/quality-format.ts';
import { ESCALATES, OPENS, shipped } from '../shipped.ts';
import { designBernoulli } from './cusum.ts';
import { type Names, sequentialAsks, sequentialVerdict } from './sequential-verdict.ts';

/** Calls between false alarms, at least: the threshold of this warning. */
const CALLS_BETWEEN_FALSE_ALARMS = 100_000;

/**
 * Policy: warns when a cumulative-sum chart of the newest 2,000 verdicts says that format compliance fell from its own
 * baseline of at least 200 calls toward 95 % (or to three times the odds of failing, where 95 % is less than that);
 * its limit is set for one false alarm in 100,000 calls.
 */
export const formatWarning: Rule<Names> = {
  id: 'quality.format',
  warning: true,
  metric: 'Format compliance',
  title: 'Format compliance is falling',
  policy: 'a chart of the newest verdicts left its baseline; threshold: calls between false alarms',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: CALLS_BETWEEN_FALSE_ALARMS,
    clear_threshold: CALLS_BETWEEN_FALSE_ALARMS,
    min_baseline: 200,
    ...OPENS.atOnce,
    ...ESCALATES.quality,
  }),
  asks: () => sequentialAsks('format'),
  judge: (readings, settings) =>
    sequentialVerdict({
      rule: 'quality.format',
      readings,
      limits: settings,
      design: ({ n, value }) =>
        designBernoulli({
          passed: Math.round(n * value),
          n,
          arl0: settings.threshold,
          failing: 1 - QUALITY_FORMAT.minShare,
        }),
    }),
};
