import jstat from 'jstat';
import type { Centroids } from '../sources/metric-source.ts';

/** A centroid with more than this share of all is taken for one frequent value, not for a stretch of values. */
const POINT_SHARE = 0.02;
const PSEUDO_COUNT = 0.5;
const NULL_QUANTILE = 0.999;

export interface BinCounts {
  expected: readonly number[];
  actual: readonly number[];
  /** Independent samples behind `actual` and `expected` where that is not their sum: outputs, not words. */
  n?: number;
  m?: number;
}

export interface Stability {
  /** Population stability index, natural logarithm; 0 when both are alike. */
  psi: number;
  /** Jensen–Shannon divergence in bits, 0..1. */
  jensenShannon: number;
  /** What the index stays below in 999 of 1,000 comparisons without a shift, at these sample sizes. */
  threshold: number;
  /** Of the G-test that both come from one distribution. */
  pValue: number;
}

/**
 * At most `bins` − 1 inner edges that cut a distribution into about equal shares, ascending. They lie between
 * values, never on one, so that a frequent value stays whole; fewer where values are few. A constant is
 * framed by two edges, so that what leaves it is seen.
 */
export function quantileEdges(distribution: Centroids, bins: number): number[] {
  const total = sizeOf(distribution);
  const gaps = gapsOf(distribution);
  if (gaps.length === 0) {
    return distribution.slice(0, 1).flatMap(([mean]) => [mean - marginOf(mean), mean + marginOf(mean)]);
  }
  const edges = new Set<number>();
  for (let bin = 1; bin < bins; bin += 1) {
    const wanted = (bin / bins) * total;
    edges.add(gaps.reduce((a, b) => (Math.abs(b.below - wanted) < Math.abs(a.below - wanted) ? b : a)).at);
  }
  return [...edges].sort((a, b) => a - b);
}

/** Counts per bin: below the first edge, between each two, above the last: one more than there are edges. */
export function binShares(distribution: Centroids, edges: readonly number[]): number[] {
  const total = sizeOf(distribution);
  const below = edges.map((edge) => countBelow(distribution, edge, total));
  return [...below, total].map((count, i) => count - (below[i - 1] ?? 0));
}

/**
 * How far `actual` has moved from `expected`. The index alone says little: without any shift its mean is
 * (bins − 1)(1/n + 1/m), so it is compared with the quantile of its own null distribution,
 * (1/n + 1/m)·χ²(bins − 1) (Yurdakul, Statistical Properties of Population Stability Index, 2018). Bins that are
 * empty on both sides do not count. Nothing on either side: no shift, p = 1.
 */
export function populationStability(counts: BinCounts): Stability {
  const filled = counts.expected.flatMap((expected, i): [number, number][] => {
    const actual = counts.actual[i] ?? 0;
    return expected + actual > 0 ? [[expected, actual]] : [];
  });
  const expectedTotal = sum(counts.expected);
  const actualTotal = sum(counts.actual);
  const freedom = filled.length - 1;
  if (expectedTotal === 0 || actualTotal === 0 || freedom < 1) {
    return { psi: 0, jensenShannon: 0, threshold: 0, pValue: 1 };
  }
  const n = counts.n ?? actualTotal;
  const m = counts.m ?? expectedTotal;
  const pairs = filled.map(([e, a]): [number, number] => [e / expectedTotal, a / actualTotal]);
  const divergence = (weight: number) => divergenceOf(pairs, weight);
  return {
    psi: psiOf(pairs, { n, m }),
    jensenShannon: divergence(0.5) / Math.LN2,
    threshold: (1 / n + 1 / m) * jstat.chisquare.inv(NULL_QUANTILE, freedom),
    pValue: 1 - jstat.chisquare.cdf(2 * (n + m) * divergence(n / (n + m)), freedom),
  };
}

/** The pseudo-count keeps a bin that is empty on one side finite. */
function psiOf(pairs: readonly [number, number][], { n, m }: { n: number; m: number }): number {
  const smooth = (share: number, size: number) =>
    (share * size + PSEUDO_COUNT) / (size + PSEUDO_COUNT * pairs.length);
  return pairs.reduce((psi, [expected, actual]) => {
    const e = smooth(expected, m);
    const a = smooth(actual, n);
    return psi + (a - e) * Math.log(a / e);
  }, 0);
}

/** Jensen–Shannon divergence in nats, `actual` weighing `weight`; times 2(n + m) at n/(n + m) it is G. */
function divergenceOf(pairs: readonly [number, number][], weight: number): number {
  return pairs.reduce((total, [expected, actual]) => {
    const middle = (1 - weight) * expected + weight * actual;
    return total + (1 - weight) * toward(expected, middle) + weight * toward(actual, middle);
  }, 0);
}

const toward = (share: number, middle: number) => (share === 0 ? 0 : share * Math.log(share / middle));

/** Between each two neighbouring values: where, and how much lies below. */
function gapsOf(distribution: Centroids): { at: number; below: number }[] {
  let below = 0;
  return distribution.flatMap(([mean, count], i) => {
    below += count;
    const next = distribution[i + 1]?.[0];
    return next === undefined || next === mean ? [] : [{ at: (mean + next) / 2, below }];
  });
}

/** A small centroid is spread halfway to its neighbours: cutting it as a point would add noise at every edge. */
function countBelow(distribution: Centroids, edge: number, total: number): number {
  return distribution.reduce((below, [mean, count], i) => {
    if (count > POINT_SHARE * total) return mean < edge ? below + count : below;
    const left = (mean + (distribution[i - 1]?.[0] ?? mean)) / 2;
    const right = (mean + (distribution[i + 1]?.[0] ?? mean)) / 2;
    return below + (count / 2) * (shareBelow(left, mean, edge) + shareBelow(mean, right, edge));
  }, 0);
}

function shareBelow(from: number, to: number, edge: number): number {
  if (to <= edge) return 1;
  return from >= edge ? 0 : (edge - from) / (to - from);
}

const marginOf = (value: number) => Math.max(Math.abs(value), 1) * 1e-9;

const sizeOf = (distribution: Centroids) => distribution.reduce((total, [, count]) => total + count, 0);

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
