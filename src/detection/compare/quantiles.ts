import { faint, type Judgement, judged, type Seen, unjudged } from '../judgement.ts';
import { type BoundedValue, differenceBounds } from '../statistics.ts';
import {
  type Compared,
  countsOf,
  isBaselineShort,
  type Known,
  knownOf,
  type Limits,
  lackOf,
} from './readings.ts';

/** Policy: the quantile is above `threshold` times the baseline's; the bound is of both where the source knows them. */
export function quantileAbove(readings: Compared, settings: Limits): Judgement {
  return quantileJudgement(readings, settings, {
    isPast: (value, limit) => value > limit,
    isPastBound: ({ lower }) => lower > 0,
  });
}

/** Policy: the quantile is below `threshold` times the baseline's; the bound is of both where the source knows them. */
export function quantileBelow(readings: Compared, settings: Limits): Judgement {
  return quantileJudgement(readings, settings, {
    isPast: (value, limit) => value < limit,
    isPastBound: ({ upper }) => upper < 0,
  });
}

function quantileJudgement(
  readings: Compared,
  settings: Limits,
  side: {
    isPast(value: number, limit: number): boolean;
    isPastBound(difference: { lower: number; upper: number }): boolean;
  },
): Judgement {
  const [window, baseline] = [knownOf(readings.window), knownOf(readings.baseline)];
  const seen: Seen = {
    ...countsOf(readings),
    value: window?.value ?? null,
    baseline: baseline?.value ?? null,
    lower: readings.window?.lower ?? null,
    upper: readings.window?.upper ?? null,
    threshold: baseline === null ? null : settings.threshold * baseline.value,
    detail: null,
  };
  const lack = lackOf(readings, settings);
  if (window === null || baseline === null || isBaselineShort(readings, settings)) {
    return unjudged(lack ?? 'no-data', seen);
  }
  const hasBounds = window.lower !== undefined || window.upper !== undefined;
  const isPastBound = (ratio: number) =>
    side.isPastBound(differenceBounds({ of: quantileOf(window), against: centreOf(baseline), ratio }));
  const judgement = judged(
    seen,
    {
      isPast: (ratio) => side.isPast(window.value, ratio * baseline.value),
      ...(hasBounds ? { isPastBound } : {}),
      knowsEveryZ: false,
    },
    settings,
  );
  return lack === 'insufficient' ? faint(judgement) : judgement;
}

/** A side without a bound reaches as far as it can. */
function quantileOf({ value, lower, upper }: Known): BoundedValue {
  return { value, lower: lower ?? Number.NEGATIVE_INFINITY, upper: upper ?? Number.POSITIVE_INFINITY };
}

/** The baseline is long: where its bound is not known, it is taken as it is. */
function centreOf({ value, lower, upper }: Known): BoundedValue {
  return { value, lower: lower ?? value, upper: upper ?? value };
}
