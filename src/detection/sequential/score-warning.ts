import type { JudgeScores, Reading } from '../../sources/metric-source.ts';
import type { Readings, Rule } from '../rule.ts';
import { QUALITY_SCORE } from '../rules/quality-score.ts';
import { ESCALATES, OPENS, shipped } from '../shipped.ts';
import { scoresLike } from './baseline.ts';
import { designMean } from './cusum.ts';
import { type Names, sequentialAsks, sequentialVerdict } from './sequential-verdict.ts';

/** Calls between false alarms, at least: the threshold of this warning. */
const CALLS_BETWEEN_FALSE_ALARMS = 30_000;
/** How much of the scores may come from other judges than in the baseline. */
const MOST_MOVED = 0.1;

/**
 * Policy: warns when a cumulative-sum chart of the newest 2,000 scores says that their mean fell from the baseline of
 * at least 200 scores toward 15 % below it; its limit is set for one false alarm in 30,000 scores. Scores of one judge
 * are compared with that judge's own; where judges share the work otherwise than before there is nothing to compare.
 */
export const scoreWarning: Rule<Names> = {
  id: 'quality.score',
  warning: true,
  metric: 'Quality score',
  title: 'Answers are getting worse',
  policy: 'a chart of the newest scores left its baseline; threshold: calls between false alarms',
  unit: 'score',
  neutral: 0,
  defaults: shipped({
    threshold: CALLS_BETWEEN_FALSE_ALARMS,
    clear_threshold: CALLS_BETWEEN_FALSE_ALARMS,
    min_baseline: QUALITY_SCORE.minBaselineN,
    ...OPENS.atOnce,
    ...ESCALATES.quality,
  }),
  asks: () => sequentialAsks('score'),
  judge: (readings, settings) => {
    const verdict = sequentialVerdict({
      rule: 'quality.score',
      readings: { ...readings, baseline: ofTheSameJudges(readings) },
      limits: settings,
      design: ({ n, value, sd, distribution }) =>
        designMean({
          scores: distribution ?? scoresLike({ n, mean: value, sd }),
          arl0: settings.threshold,
          fall: QUALITY_SCORE.maxDropRatio,
        }),
    });
    const isKept = readings.baseline === null || verdict.baselineN > 0 || readings.baseline.n === 0;
    return isKept
      ? verdict
      : { ...verdict, detail: 'the judges of these scores are not those of the baseline' };
  },
};

/** The baseline that the window's scores can be compared with; null when there is none. */
function ofTheSameJudges({ window, baseline }: Readings<Names>): Reading | null {
  if (window?.judges === undefined || baseline?.judges === undefined) return baseline;
  const [now, before] = [mixOf(window.judges), mixOf(baseline.judges)];
  const moved = [...now].reduce(
    (sum, [judge, share]) => sum + Math.max(0, share - (before.get(judge) ?? 0)),
    0,
  );
  if (moved <= MOST_MOVED) return baseline;
  const [judge] = now.keys();
  const own = now.size === 1 && judge !== undefined ? baseline.judges[judge] : undefined;
  return own === undefined || own.n === 0 ? null : { n: own.n, value: own.mean, sd: own.sd };
}

/** The share of the scores that each judge gave. */
function mixOf(judges: Readonly<Record<string, JudgeScores>>): Map<string, number> {
  const all = Object.entries(judges).filter(([, { n }]) => n > 0);
  const total = all.reduce((sum, [, { n }]) => sum + n, 0);
  return new Map(all.map(([judge, { n }]) => [judge, n / total]));
}
