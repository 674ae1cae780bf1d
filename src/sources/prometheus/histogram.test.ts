import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, centroidsOf, completeBuckets, largestAtLeast, quantileOf } from './histogram.ts';

const LAST = Number.POSITIVE_INFINITY;

function histogramOf(samples: readonly number[], edges: readonly number[]): Bucket[] {
  const buckets = [...edges, LAST].map((le) => ({ le, count: samples.filter((one) => one <= le).length }));
  const complete = completeBuckets(buckets);
  if (complete === null) throw new Error('no samples');
  return complete;
}

const edges = [1, 2, 4, 8, 16];
const samples = fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('a histogram', () => {
  it('has every quantile in the bucket where the sample of that rank is', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1, noNaN: true }), (given, share) => {
        const sorted = given.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
        const { value, from, to } = quantileOf(histogramOf(given, edges), share);
        expect(exact).toBeGreaterThan(from);
        expect(exact).toBeLessThanOrEqual(to);
        expect(value).toBeGreaterThanOrEqual(from);
        expect(value).toBeLessThanOrEqual(to);
      }),
    );
  });

  it('keeps all of its samples in its centroids, in order', () => {
    fc.assert(
      fc.property(samples, (given) => {
        const centroids = centroidsOf(histogramOf(given, edges));
        expect(centroids.reduce((sum, [, count]) => sum + count, 0)).toBe(given.length);
        expect(centroids.map(([mean]) => mean)).toEqual(
          centroids.map(([mean]) => mean).toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('never says that its largest sample is larger than it is', () => {
    fc.assert(
      fc.property(samples, (given) => {
        expect(largestAtLeast(histogramOf(given, edges))).toBeLessThanOrEqual(Math.max(...given));
      }),
    );
  });

  it('is none without its infinite bucket, and none without samples', () => {
    expect(completeBuckets([{ le: 1, count: 5 }])).toBeNull();
    expect(completeBuckets([{ le: LAST, count: 0 }])).toBeNull();
    expect(completeBuckets([])).toBeNull();
  });

  it('says the last edge for a quantile beyond it', () => {
    const buckets = histogramOf([1, 3, 100], edges);
    expect(quantileOf(buckets, 0.99)).toEqual({ value: 16, from: 16, to: LAST });
  });

  it('mends counts that fall, as extrapolated ones may by a rounding', () => {
    const buckets = completeBuckets([
      { le: 2, count: 9.999 },
      { le: 1, count: 10 },
      { le: LAST, count: 10 },
    ]);
    expect(buckets?.map(({ count }) => count)).toEqual([10, 10, 10]);
  });
});
