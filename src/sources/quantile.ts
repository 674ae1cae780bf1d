import jstat from 'jstat';
import type { Centroids } from './metric-source.ts';

/** A quantile and its one-sided bounds; a bound is null where the sample is too small to have one. */
export interface Quantile {
  n: number;
  value: number | null;
  lower: number | null;
  upper: number | null;
}

const CONFIDENCE = 0.95;

/**
 * The quantile `p` (0 < p < 1) of a digest and its one-sided 95 % bounds from order statistics: how many of n samples
 * lie below the true quantile is binomial (n, p), whatever the distribution (Conover, Practical Nonparametric
 * Statistics, 3.2), so the bounds are the sample values at its quantiles. `centroids` are in order of the mean; their
 * counts are taken for samples. Between centroids it interpolates, so for single samples it is exact.
 */
export function quantileBounds(centroids: Centroids, p: number): Quantile {
  const n = Math.round(centroids.reduce((total, [, count]) => total + count, 0));
  if (n === 0) return { n, value: null, lower: null, upper: null };
  const { lower, upper } = boundRanks(n, p);
  return {
    n,
    value: valueAt(centroids, p * n),
    lower: lower === null ? null : valueAt(centroids, lower - 0.5),
    upper: upper === null ? null : valueAt(centroids, upper - 0.5),
  };
}

/** Ranks (1..n) of the order statistics that bound the quantile; null where even the extreme one does not. */
export function boundRanks(n: number, p: number): { lower: number | null; upper: number | null } {
  // The r-th value is at most the quantile when r or more of the samples lie below it.
  const lower = lastRank(n, (rank) => 1 - atMost(rank - 1, n, p) >= CONFIDENCE);
  // It is at least the quantile when fewer than r do.
  const tooLow = lastRank(n, (rank) => atMost(rank - 1, n, p) < CONFIDENCE);
  return { lower: lower === 0 ? null : lower, upper: tooLow === n ? null : tooLow + 1 };
}

const atMost = (successes: number, n: number, p: number) => jstat.binomial.cdf(successes, n, p);

/** The last rank for which `holds` is true, when it is true of all up to some rank and then no more; 0 for none. */
function lastRank(n: number, holds: (rank: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Value below which `count` of the samples lie; each centroid stands for the middle of its own. */
function valueAt(centroids: Centroids, count: number): number {
  let below = 0;
  let previous: { at: number; mean: number } | null = null;
  for (const [mean, size] of centroids) {
    const at = below + size / 2;
    if (count <= at) {
      if (previous === null) return mean;
      return previous.mean + ((count - previous.at) / (at - previous.at)) * (mean - previous.mean);
    }
    previous = { at, mean };
    below += size;
  }
  return previous?.mean ?? 0;
}
