import type { Centroids } from '../metric-source.ts';

/** Samples at most `le`, cumulative as Prometheus has them; the last one's `le` is infinite. */
export interface Bucket {
  le: number;
  count: number;
}

export interface HistogramQuantile {
  value: number;
  /** Edges of the bucket that the value is in; `to` is infinite in the last one, where the value is only a floor. */
  from: number;
  to: number;
}

/** Buckets in order, counts never falling. Null without an infinite bucket or without samples. */
export function completeBuckets(buckets: readonly Bucket[]): Bucket[] | null {
  const sorted = [...buckets].sort((a, b) => a.le - b.le);
  let most = 0;
  const rising = sorted.map(({ le, count }) => {
    most = Math.max(most, count);
    return { le, count: most };
  });
  return rising.at(-1)?.le === Number.POSITIVE_INFINITY && most > 0 ? rising : null;
}

/** The quantile by linear interpolation within its bucket, as Prometheus's own `histogram_quantile` does it. */
export function quantileOf(buckets: readonly Bucket[], share: number): HistogramQuantile {
  const total = buckets.at(-1)?.count ?? 0;
  const rank = share * total;
  const place = Math.max(
    0,
    buckets.findIndex((bucket) => bucket.count >= rank),
  );
  const { le: to, count } = buckets[place] ?? { le: Number.POSITIVE_INFINITY, count: 0 };
  const before = buckets[place - 1] ?? { le: Math.min(0, to), count: 0 };
  if (to === Number.POSITIVE_INFINITY) return { value: before.le, from: before.le, to };
  const within = count === before.count ? 0 : (rank - before.count) / (count - before.count);
  return { value: before.le + (to - before.le) * within, from: before.le, to };
}

/** The lower edge of the highest bucket that holds anything: the largest sample is at least so large. */
export function largestAtLeast(buckets: readonly Bucket[]): number {
  return quantileOf(buckets, 1).from;
}

/** What each bucket holds, at its middle; the last one at its lower edge. */
export function centroidsOf(buckets: readonly Bucket[]): Centroids {
  return buckets.flatMap(({ le, count }, place) => {
    const before = buckets[place - 1] ?? { le: Math.min(0, le), count: 0 };
    const held = count - before.count;
    const middle = le === Number.POSITIVE_INFINITY ? before.le : (before.le + le) / 2;
    return held > 0 ? [[middle, held] as const] : [];
  });
}
