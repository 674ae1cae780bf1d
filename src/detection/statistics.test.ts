import fc from 'fast-check';
import jstat from 'jstat';
import { errorFunction, mean as meanOf, sampleStandardDeviation } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import {
  differenceBounds,
  greatestSpread,
  type KnownSummary,
  keptBounds,
  meanBounds,
  wilsonBounds,
  Z_ONE_SIDED_95,
  Z_ONE_SIDED_999,
} from './statistics.ts';

test('z-is-the-normal-quantile', () => {
  expect((1 + errorFunction(Z_ONE_SIDED_95 / Math.SQRT2)) / 2).toBeCloseTo(0.95, 6);
  expect((1 + errorFunction(Z_ONE_SIDED_999 / Math.SQRT2)) / 2).toBeCloseTo(0.999, 6);
});

describe('wilson', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (two-sided 95 %).
  test.each([
    { passed: 81, n: 263, lower: 0.2553, upper: 0.3662 },
    { passed: 15, n: 148, lower: 0.0624, upper: 0.1605 },
    { passed: 0, n: 20, lower: 0, upper: 0.1611 },
    { passed: 1, n: 29, lower: 0.0061, upper: 0.1718 },
  ])('published-interval-of-$passed-in-$n', ({ passed, n, lower, upper }) => {
    const bounds = wilsonBounds({ passed, n, z: 1.959963984540054 });
    expect(bounds.lower).toBeCloseTo(lower, 4);
    expect(bounds.upper).toBeCloseTo(upper, 4);
  });

  test('is-at-most-as-wide-as-the-exact-interval-from-twenty-on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 2_000 }), fc.nat(), (n, some) => {
        const passed = 1 + (some % (n - 1));
        const { lower, upper } = wilsonBounds({ passed, n });
        // Clopper and Pearson, 1934: quantiles of the beta distribution.
        const exactLower = jstat.beta.inv(0.05, passed, n - passed + 1);
        const exactUpper = jstat.beta.inv(0.95, passed + 1, n - passed);
        expect(upper - lower).toBeLessThanOrEqual(exactUpper - exactLower + 1e-9);
        expect(Math.abs(lower - exactLower)).toBeLessThan(1.5 / n);
        expect(Math.abs(upper - exactUpper)).toBeLessThan(1.5 / n);
      }),
    );
  });

  test('bounds-are-where-the-score-test-turns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const passed = Math.round(share * n);
          const { lower, upper } = wilsonBounds({ passed, n });
          expect(lower).toBeLessThanOrEqual(passed / n + 1e-12);
          expect(upper).toBeGreaterThanOrEqual(passed / n - 1e-12);
          for (const bound of [lower, upper].filter((one) => one > 1e-9 && one < 1 - 1e-9)) {
            const z = Math.abs(passed / n - bound) / Math.sqrt((bound * (1 - bound)) / n);
            expect(z).toBeCloseTo(Z_ONE_SIDED_95, 5);
          }
        },
      ),
    );
  });
});

const summary = fc.record({
  n: fc.integer({ min: 100, max: 10_000 }),
  mean: fc.double({ min: 0.2, max: 1, noNaN: true }),
  sd: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
});

/**
 * Fieller's upper bound of window.mean / baseline.mean, solved as the quadratic that it is usually given as.
 */
function fiellerUpper(
  window: KnownSummary & { sd: number },
  baseline: KnownSummary & { sd: number },
): number {
  const z2 = Z_ONE_SIDED_95 ** 2;
  const a = baseline.mean ** 2 - (z2 * baseline.sd ** 2) / baseline.n;
  const b = window.mean * baseline.mean;
  const c = window.mean ** 2 - (z2 * window.sd ** 2) / window.n;
  return (b + Math.sqrt(b * b - a * c)) / a;
}

describe('the-kept-share-of-a-baseline', () => {
  test('decides-as-fiellers-bound-of-the-ratio', () => {
    fc.assert(
      fc.property(
        summary,
        summary,
        fc.double({ min: 0.3, max: 1.2, noNaN: true }),
        (window, baseline, keptRatio) => {
          const upper = fiellerUpper(window, baseline);
          fc.pre(Math.abs(upper - keptRatio) > 1e-9);
          expect(keptBounds({ window, baseline, keptRatio }).upper < 0).toBe(upper < keptRatio);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('covers-the-truth-95-times-in-100', () => {
    const random = randomFrom(7);
    const draw = (n: number, share: number): KnownSummary => {
      const values = Array.from({ length: n }, () => Number(random() < share));
      return { n, mean: meanOf(values), sd: sampleStandardDeviation(values) };
    };
    const tries = 2_000;
    let missed = 0;
    for (let i = 0; i < tries; i += 1) {
      const samples = { window: draw(100, 0.714), baseline: draw(200, 0.84), keptRatio: 0.85 };
      if (keptBounds(samples).upper < 0) missed += 1;
    }
    // A shift that sits exactly at the threshold is called past it in 5 % of windows.
    expect(missed / tries).toBeGreaterThan(0.035);
    expect(missed / tries).toBeLessThan(0.065);
  });
});

describe('the-difference-of-two-estimates', () => {
  // Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10 (two-sided 95 %).
  test.each([
    { of: [56, 70], against: [48, 80], lower: 0.0524, upper: 0.3339 },
    { of: [9, 10], against: [3, 10], lower: 0.1705, upper: 0.809 },
    { of: [6, 7], against: [2, 7], lower: 0.0582, upper: 0.8062 },
    { of: [5, 56], against: [0, 29], lower: -0.0381, upper: 0.1926 },
    { of: [0, 10], against: [0, 20], lower: -0.1611, upper: 0.2775 },
  ])('published-interval-of-$of-against-$against', ({ of, against, lower, upper }) => {
    const share = ([passed = 0, n = 1]: number[]) => ({
      value: passed / n,
      ...wilsonBounds({ passed, n, z: 1.959963984540054 }),
    });
    const bounds = differenceBounds({ of: share(of), against: share(against) });
    expect(bounds.lower).toBeCloseTo(lower, 4);
    expect(bounds.upper).toBeCloseTo(upper, 4);
  });

  test('of-two-means-is-that-of-their-standard-errors', () => {
    fc.assert(
      fc.property(
        summary,
        summary,
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        (window, baseline, ratio) => {
          const of = { value: window.mean, ...meanBounds(window) };
          const against = { value: baseline.mean, ...meanBounds(baseline) };
          const bounds = differenceBounds({ of, against, ratio });
          const kept = keptBounds({ window, baseline, keptRatio: ratio });
          expect(bounds.lower).toBeCloseTo(kept.lower, 9);
          expect(bounds.upper).toBeCloseTo(kept.upper, 9);
        },
      ),
    );
  });
});

test('scores-spread-at-most-as-a-pass-or-fail-of-the-same-mean', () => {
  const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 50 });
  fc.assert(
    fc.property(scores, (values) => {
      const widest = greatestSpread({ n: values.length, mean: meanOf(values) });
      expect(sampleStandardDeviation(values)).toBeLessThanOrEqual(widest + 1e-9);
    }),
  );
  const passOrFail = [1, 1, 1, 0, 0];
  expect(greatestSpread({ n: 5, mean: 0.6 })).toBeCloseTo(sampleStandardDeviation(passOrFail), 12);
});

test('the-mean-of-a-sample-is-bounded-by-its-standard-error', () => {
  const { lower, upper } = meanBounds({ n: 400, mean: 0.5, sd: 0.2 });
  expect(upper - 0.5).toBeCloseTo(1.6448536 * 0.01, 8);
  expect(0.5 - lower).toBeCloseTo(1.6448536 * 0.01, 8);
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
