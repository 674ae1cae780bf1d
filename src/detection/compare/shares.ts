import type { Reading } from '../../sources/metric-source.ts';
import { faint, type Judgement, judged, NOTHING_SEEN, type Seen, unjudged } from '../judgement.ts';
import { type BoundedValue, differenceBounds, wilsonBounds } from '../statistics.ts';
import {
  type Compared,
  countsOf,
  isBaselineShort,
  type Known,
  knownOf,
  type Limits,
  lackOf,
} from './readings.ts';

/** Differences of shares that are equal on paper differ by this much in floating point. */
const ROUNDING = 1e-9;

/** Policy: the share is above the threshold; bounds are Wilson's. */
export function shareAbove(window: Reading | null, settings: Limits): Judgement {
  return shareJudgement(window, settings, (share, limit) => share.value > limit && share.lower > limit);
}

/**
 * Policy: as `shareAbove`, of at least `minHits` hits: one or two of a few say nothing about a share. What is above the
 * threshold with fewer is insufficient.
 */
export function shareAboveWith(window: Reading | null, minHits: number, settings: Limits): Judgement {
  const judgement = shareAbove(window, settings);
  const hits = Math.round((window?.value ?? 0) * (window?.n ?? 0));
  return judgement.state === 'firing' && hits < minHits ? unjudged('insufficient', judgement) : judgement;
}

/** Policy: the share is at the threshold or above; bounds are Wilson's. */
export function shareAtLeast(window: Reading | null, settings: Limits): Judgement {
  return shareJudgement(window, settings, (share, limit) => share.value >= limit && share.lower >= limit);
}

/** Policy: the share is below the threshold; bounds are Wilson's. */
export function shareBelow(window: Reading | null, settings: Limits): Judgement {
  return shareJudgement(window, settings, (share, limit) => share.value < limit && share.upper < limit);
}

function shareJudgement(
  window: Reading | null,
  settings: Limits,
  isPast: (share: BoundedValue, limit: number) => boolean,
): Judgement {
  const known = knownOf(window);
  const seen: Seen = { ...NOTHING_SEEN, n: window?.n ?? 0, threshold: settings.threshold };
  if (known === null) return unjudged('no-data', seen);
  const { value } = known;
  const { lower, upper } = wilson(known);
  const bounded: Seen = { ...seen, value, lower, upper };
  const judgement = judged(
    bounded,
    {
      isPast: (limit) => isPast({ value, lower: value, upper: value }, limit),
      isPastBound: (limit, z) => isPast(wilson(known, z), limit),
    },
    settings,
  );
  return known.n < settings.min_samples ? faint(judgement) : judgement;
}

/** Policy: the share is at least `threshold` (points) above the baseline's; the bound is Newcombe's of both. */
export function pointsAbove(readings: Compared, settings: Limits): Judgement {
  const [window, baseline] = [knownOf(readings.window), knownOf(readings.baseline)];
  const bounds = window === null ? null : wilson(window);
  const seen: Seen = {
    ...countsOf(readings),
    value: window?.value ?? null,
    baseline: baseline?.value ?? null,
    lower: bounds?.lower ?? null,
    upper: bounds?.upper ?? null,
    threshold: baseline === null ? null : baseline.value + settings.threshold,
    detail: null,
  };
  const lack = lackOf(readings, settings);
  if (window === null || baseline === null || isBaselineShort(readings, settings)) {
    return unjudged(lack ?? 'no-data', seen);
  }
  const judgement = judged(
    seen,
    {
      isPast: (points) => window.value - baseline.value >= points - ROUNDING,
      isPastBound: (points, z) =>
        differenceBounds({ of: wilson(window, z), against: wilson(baseline, z) }).lower > points,
    },
    settings,
  );
  return lack === 'insufficient' ? faint(judgement) : judgement;
}

function wilson({ n, value }: Known, z?: number): BoundedValue {
  return { value, ...wilsonBounds({ passed: value * n, n, ...(z === undefined ? {} : { z }) }) };
}
