import fc from 'fast-check';
import { quantileSorted } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import { boundRanks, quantileBounds } from './quantile.ts';

const singles = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b).map((value): [number, number] => [value, 1]);

/** The chance of at most k of n, summed term by term: another way than the library's. */
function binomialAtMost(k: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let total = 0;
  for (let i = 0; i <= k; i += 1) {
    if (i > 0) log += Math.log((n - i + 1) / i) + Math.log(p / (1 - p));
    total += Math.exp(log);
  }
  return total;
}

describe('ranks that bound a quantile', () => {
  // Wilks, Annals of Mathematical Statistics 12 (1941): 59 samples for a 95 % bound on the 95th percentile, 299 on
  // the 99th, 5 on the median.
  test.each([
    [0.95, 59],
    [0.99, 299],
    [0.5, 5],
  ])('the-largest-of-wilks-%s-quantile-sample-bounds-it', (p, n) => {
    expect(boundRanks(n, p).upper).toBe(n);
    expect(boundRanks(n - 1, p).upper).toBeNull();
    expect(boundRanks(n, 1 - p).lower).toBe(1);
    expect(boundRanks(n - 1, 1 - p).lower).toBeNull();
  });

  test('are-the-nearest-ones-with-95-percent-confidence', () => {
    const share = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), share, (n, p) => {
        const { lower, upper } = boundRanks(n, p);
        // P(r-th value ≤ quantile) = P(r or more below it).
        const confidence = (rank: number) => 1 - binomialAtMost(rank - 1, n, p);
        if (lower !== null) expect(confidence(lower)).toBeGreaterThanOrEqual(0.95 - 1e-8);
        if ((lower ?? 0) < n) expect(confidence((lower ?? 0) + 1)).toBeLessThan(0.95 + 1e-8);
        if (upper !== null) expect(binomialAtMost(upper - 1, n, p)).toBeGreaterThanOrEqual(0.95 - 1e-8);
        if ((upper ?? n + 1) > 1)
          expect(binomialAtMost((upper ?? n + 1) - 2, n, p)).toBeLessThan(0.95 + 1e-8);
      }),
    );
  });
});

describe('quantile of a digest', () => {
  test('of-single-samples-is-their-median', () => {
    const values = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, (sample) => {
        const sorted = [...sample].sort((a, b) => a - b);
        expect(quantileBounds(singles(sample), 0.5).value).toBeCloseTo(quantileSorted(sorted, 0.5), 6);
      }),
    );
  });

  test('bounds-are-sample-values-around-it', () => {
    const values = fc.uniqueArray(fc.integer({ min: 0, max: 1e6 }), { minLength: 60, maxLength: 300 });
    fc.assert(
      fc.property(values, (sample) => {
        const { value, lower, upper } = quantileBounds(singles(sample), 0.5);
        expect(sample).toContain(lower);
        expect(sample).toContain(upper);
        expect(lower).toBeLessThan(value ?? 0);
        expect(upper).toBeGreaterThan(value ?? 0);
      }),
    );
  });

  test('counts-of-a-centroid-are-samples', () => {
    const one = quantileBounds([[7, 1_000]], 0.99);
    expect(one).toEqual({ n: 1_000, value: 7, lower: 7, upper: 7 });
    const merged = quantileBounds(
      Array.from({ length: 100 }, (_, i): [number, number] => [i + 0.5, 10]),
      0.5,
    );
    expect(merged.value).toBeCloseTo(50, 9);
    expect(merged.lower).toBeGreaterThan(46);
    expect(merged.upper).toBeLessThan(54);
  });

  test('of-nothing-is-null', () => {
    expect(quantileBounds([], 0.5)).toEqual({ n: 0, value: null, lower: null, upper: null });
  });

  test('covers-the-truth-at-least-95-times-in-100', () => {
    const random = randomFrom(11);
    let missed = 0;
    const tries = 1_000;
    for (let i = 0; i < tries; i += 1) {
      // Exponential: its 99th percentile is ln 100.
      const sample = Array.from({ length: 400 }, () => -Math.log(1 - random()));
      if ((quantileBounds(singles(sample), 0.99).lower ?? 0) > Math.log(100)) missed += 1;
    }
    expect(missed / tries).toBeLessThan(0.07);
    expect(missed / tries).toBeGreaterThan(0.005);
  });
});

/** mulberry32: repeatable numbers, 0 ≤ x < 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
