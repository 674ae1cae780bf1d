import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundRanks } from './quantile.ts';

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
