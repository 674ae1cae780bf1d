import type { Reading } from '../../sources/metric-source.ts';
import { faint, type Judgement, judged, type Seen, unjudged } from '../judgement.ts';
import { greatestSpread, type KnownSummary, keptBounds, meanBounds } from '../statistics.ts';
import { type Compared, countsOf, isBaselineShort, knownOf, type Limits, lackOf } from './readings.ts';

/** Policy: the mean is more than `threshold` (a share) below the baseline's mean. Of scores, 0..1. */
export function meanBelow(readings: Compared, settings: Limits): Judgement {
  const [window, baseline] = [scoresOf(readings.window), scoresOf(readings.baseline)];
  const keep = 1 - settings.threshold;
  const seen = meansSeen({ window, baseline, readings, limit: keep });
  const lack = lackOf(readings, settings);
  if (window === null || baseline === null || isBaselineShort(readings, settings)) {
    return unjudged(lack ?? 'no-data', seen);
  }
  const judgement = judged(
    seen,
    {
      isPast: (drop) => window.mean < (1 - drop) * baseline.mean,
      isPastBound: (drop, z) => keptBounds({ window, baseline, keptRatio: 1 - drop }, z).upper < 0,
    },
    settings,
  );
  return lack === 'insufficient' ? faint(judgement) : judgement;
}

/** Policy: the mean is more than `threshold` times the baseline's mean; the bound needs both spreads. */
export function meanAbove(readings: Compared, settings: Limits): Judgement {
  const [window, baseline] = [summaryOf(readings.window), summaryOf(readings.baseline)];
  const seen = meansSeen({ window, baseline, readings, limit: settings.threshold });
  const lack = lackOf(readings, settings);
  if (window === null || baseline === null || isBaselineShort(readings, settings)) {
    return unjudged(lack ?? 'no-data', seen);
  }
  const hasSpread = window.sd !== null && baseline.sd !== null;
  const judgement = judged(
    seen,
    {
      isPast: (multiple) => window.mean > multiple * baseline.mean,
      isPastBound: (multiple, z) =>
        hasSpread && keptBounds({ window, baseline, keptRatio: multiple }, z).lower > 0,
    },
    settings,
  );
  return lack === 'insufficient' ? faint(judgement) : judgement;
}

function meansSeen(means: {
  window: KnownSummary | null;
  baseline: KnownSummary | null;
  readings: Compared;
  /** In shares of the baseline. */
  limit: number;
}): Seen {
  const { window, baseline } = means;
  const bounds = window === null || window.sd === null ? null : meanBounds(window);
  return {
    ...countsOf(means.readings),
    value: window?.mean ?? null,
    baseline: baseline?.mean ?? null,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    threshold: baseline === null ? null : means.limit * baseline.mean,
    detail: null,
  };
}

function summaryOf(reading: Reading | null): KnownSummary | null {
  const known = knownOf(reading);
  return known === null ? null : { n: known.n, mean: known.value, sd: known.sd };
}

/** Scores lie between 0 and 1: where their spread is not known, the greatest possible one is assumed. */
function scoresOf(reading: Reading | null): KnownSummary | null {
  const summary = summaryOf(reading);
  return summary === null ? null : { ...summary, sd: summary.sd ?? greatestSpread(summary) };
}
