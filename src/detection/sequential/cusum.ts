import type { Centroids } from '../../sources/metric-source.ts';
import { meanQuantile, momentsOf, roundedCounts, withPrior } from './baseline.ts';
import { type Design, solve } from './limit.ts';

export interface Run {
  statistic: number;
  isAlarm: boolean;
  /** Index of the outcome at which the chart first passed its limit. */
  alarmAt: number | null;
  /** Index of the first outcome since the chart last left 0: where the change began, if there is one. */
  startedAt: number | null;
}

/** The statistic is held so far above its limit, so that it comes back soon after a recovery. */
const CAP = 1.25;
const ODDS = 3;
/** The prudent side of the baseline's mean that the reference is made for. */
const PRUDENT = 0.2;
const LEAST_SD = 0.02;

/**
 * Policy: the chart is the best one for a failing share that goes from what the baseline had to `failing`, or to
 * three times its odds where that is more; its limit is set for one false alarm in `arl0` calls, averaged over
 * all that the baseline leaves open about its own share, so that few baseline calls mean a higher limit.
 *
 * Likelihood-ratio weights as in Reynolds and Stoumbos (Journal of Quality Technology 31, 1999). Null when no
 * limit keeps the promise: the baseline is too small for it.
 */
export function designBernoulli(of: {
  passed: number;
  n: number;
  arl0: number;
  failing: number;
}): Design | null {
  const scores = withPrior(
    roundedCounts([
      [0, of.n - of.passed],
      [1, of.passed],
    ]),
  );
  const before = 1 - meanQuantile(scores, PRUDENT);
  const odds = (ODDS * before) / (1 - before);
  const after = Math.max(of.failing, odds / (1 + odds));
  const perPass = Math.log((1 - before) / (1 - after));
  const reference = 1 - perPass / (perPass + Math.log(after / before));
  return solve(scores, { reference, arl0: of.arl0 });
}

/**
 * Policy: the chart is set for a mean that fell by `fall` of itself (0.15: 15 %), or by one standard deviation (of at
 * least 0.02) where that is less; the spread of single scores is that of the baseline's own; the limit as for pass and fail.
 */
export function designMean(of: { scores: Centroids; arl0: number; fall: number }): Design | null {
  const scores = withPrior(roundedCounts(of.scores));
  const { variance } = momentsOf(scores);
  const mean = meanQuantile(scores, PRUDENT);
  const reference = mean - Math.min(of.fall * mean, Math.max(LEAST_SD, Math.sqrt(variance))) / 2;
  return solve(scores, { reference, arl0: of.arl0 });
}

/** The chart after one more outcome; it is told what it was before, 0 at first. */
export function nextStatistic(statistic: number, outcome: number, design: Design): number {
  const next = statistic + Math.round((design.reference - outcome) * design.scale);
  return Math.min(Math.max(0, next), Math.ceil(design.limit * CAP) + 1);
}

/** The chart over outcomes, the newest last, from 0. It keeps nothing: the newest 2,000 say all there is. */
export function runCusum(outcomes: ArrayLike<number>, design: Design): Run {
  let statistic = 0;
  let alarmAt: number | null = null;
  let startedAt: number | null = null;
  for (let i = 0; i < outcomes.length; i += 1) {
    const before = statistic;
    statistic = nextStatistic(before, outcomes[i] as number, design);
    if (statistic === 0) startedAt = null;
    else if (before === 0) startedAt = i;
    if (alarmAt === null && statistic > design.limit) alarmAt = i;
  }
  return { statistic, isAlarm: statistic > design.limit, alarmAt, startedAt };
}
