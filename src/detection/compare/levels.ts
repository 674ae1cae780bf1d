import type { Reading } from '../../sources/metric-source.ts';
import { type Judgement, judged, NOTHING_SEEN, type Seen, unjudged } from '../judgement.ts';
import { type Compared, countsOf, knownOf, type Limits, lackOf } from './readings.ts';

/** Policy: at least `threshold` events; a count is exact, so its bound is itself. No calls at all is no data. */
export function countAtLeast(window: Reading | null, limits: Limits): Judgement {
  const judgement = levelAtLeast(window, limits);
  const isFiring = judgement.state === 'firing';
  return {
    ...judgement,
    lower: judgement.value,
    upper: judgement.value,
    pastBound: isFiring,
    unmistakable: isFiring,
  };
}

/** Policy: the level is at the threshold or above; nothing is known of its bound. Null is no data. */
export function levelAtLeast(window: Reading | null, limits: Limits): Judgement {
  const seen: Seen = { ...NOTHING_SEEN, n: window?.n ?? 0, threshold: limits.threshold };
  if (window === null || window.value === null) return unjudged('no-data', seen);
  const { value } = window;
  const isFiring = value >= limits.threshold;
  return {
    ...seen,
    value,
    detail: isFiring ? (window.about ?? null) : null,
    state: isFiring ? 'firing' : 'ok',
    pastBound: false,
    unmistakable: false,
    isClear: !isFiring && value <= limits.clear_threshold,
  };
}

/**
 * Policy: the largest one is above `threshold` times the baseline's value, and larger than any of the baseline, where
 * that is known. Never past a bound: it is one only.
 */
export function largestAbove(readings: Compared, limits: Limits): Judgement {
  const { window, baseline } = readings;
  const base = knownOf(baseline);
  const largest = window?.max ?? null;
  const seen: Seen = {
    ...NOTHING_SEEN,
    ...countsOf(readings),
    value: largest,
    baseline: base?.value ?? null,
    threshold: base === null ? null : limits.threshold * base.value,
    detail: window?.about ?? null,
  };
  const lack = lackOf(readings, limits);
  if (lack !== null || largest === null || base === null) return unjudged(lack ?? 'no-data', seen);
  const known = base.max ?? 0;
  return judged(seen, { isPast: (multiple) => largest > Math.max(multiple * base.value, known) }, limits);
}

/** Policy: every window is above the threshold; counted, not sampled: its bound is itself, and it moves too much. */
export function bothAbove(windows: readonly (Reading | null)[], limits: Limits): Judgement {
  const values = windows.flatMap((window) =>
    window === null || window.value === null ? [] : [window.value],
  );
  const n = Math.max(0, ...windows.map((window) => window?.n ?? 0));
  const seen: Seen = { ...NOTHING_SEEN, n, threshold: limits.threshold };
  if (values.length < windows.length) return unjudged('no-data', seen);
  const value = Math.min(...values);
  const bounded: Seen = { ...seen, value, lower: value, upper: value };
  if (n < limits.min_samples) return unjudged('insufficient', bounded);
  const isPast = (limit: number) => value > limit;
  return judged(bounded, { isPast, isPastBound: isPast, knowsEveryZ: false }, limits);
}
