import fc from 'fast-check';
import { errorFunction } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import type { Centroids } from '../sources/metric-source.ts';
import { binShares, populationStability, quantileEdges } from './drift.ts';

const TEN_ALIKE: readonly number[] = Array.from({ length: 10 }, () => 0.1);

describe('without-a-shift', () => {
  // Measured with 10 bins against a baseline of 5,000: how often the usual "PSI above 0.2" cries wolf.
  test.each([
    { n: 30, atLeast: 0.5, atMost: 0.7 },
    { n: 50, atLeast: 0.15, atMost: 0.32 },
    { n: 100, atLeast: 0, atMost: 0.03 },
    { n: 200, atLeast: 0, atMost: 0.002 },
  ])('a-fixed-limit-depends-on-n-and-ours-does-not-$n', ({ n, atLeast, atMost }) => {
    const random = randomFrom(n);
    const tries = 3_000;
    const found = Array.from({ length: tries }, () =>
      populationStability({
        expected: drawCounts(TEN_ALIKE, 5_000, random),
        actual: drawCounts(TEN_ALIKE, n, random),
      }),
    );
    const share = (is: (one: (typeof found)[number]) => boolean) => found.filter(is).length / tries;
    expect(share(({ psi }) => psi > 0.2)).toBeGreaterThanOrEqual(atLeast);
    expect(share(({ psi }) => psi > 0.2)).toBeLessThanOrEqual(atMost);
    // 0.001 wanted, three standard errors of 3,000 tries allowed.
    expect(share(({ psi, threshold }) => psi > threshold)).toBeLessThanOrEqual(0.003);
    if (n >= 50) expect(share(({ pValue }) => pValue < 0.01)).toBeLessThan(0.02);
  });

  test('the-mean-index-is-what-theory-says', () => {
    const random = randomFrom(3);
    const tries = 2_000;
    let total = 0;
    for (let i = 0; i < tries; i += 1) {
      const counts = {
        expected: drawCounts(TEN_ALIKE, 5_000, random),
        actual: drawCounts(TEN_ALIKE, 1_000, random),
      };
      total += populationStability(counts).psi;
    }
    expect(total / tries / (9 * (1 / 1_000 + 1 / 5_000))).toBeCloseTo(1, 1);
  });

  test('words-count-by-the-outputs-that-hold-them', () => {
    const random = randomFrom(11);
    const wordShares = Array.from({ length: 64 }, () => 1 / 64);
    // Every output says one word twenty times: 200 outputs are 200 samples, not 4,000.
    const repeat = (counts: number[]) => counts.map((count) => count * 20);
    let [told, naive] = [0, 0];
    for (let i = 0; i < 500; i += 1) {
      const expected = repeat(drawCounts(wordShares, 5_000, random));
      const actual = repeat(drawCounts(wordShares, 200, random));
      const byOutputs = populationStability({ expected, actual, n: 200, m: 5_000 });
      const byWords = populationStability({ expected, actual });
      if (byOutputs.psi > byOutputs.threshold) told += 1;
      if (byWords.psi > byWords.threshold) naive += 1;
    }
    expect(told).toBeLessThanOrEqual(4);
    expect(naive).toBe(500);
  });
});

describe('with-a-shift', () => {
  test('more-samples-see-more', () => {
    const random = randomFrom(4);
    const before = [0.05, ...Array.from({ length: 9 }, () => 0.95 / 9)];
    const after = [0.15, ...Array.from({ length: 9 }, () => 0.85 / 9)];
    const powers = [100, 200, 500].map((n) => {
      const seen = Array.from({ length: 400 }, () =>
        populationStability({
          expected: drawCounts(before, 5_000, random),
          actual: drawCounts(after, n, random),
        }),
      );
      const share = (is: (one: (typeof seen)[number]) => boolean) => seen.filter(is).length / 400;
      return { calibrated: share((one) => one.psi > one.threshold), fixed: share((one) => one.psi > 0.2) };
    });
    const [few, some, many] = powers;
    expect(few?.calibrated).toBeLessThan(some?.calibrated ?? 0);
    expect(many?.calibrated).toBeGreaterThan(0.97);
    expect(many?.fixed).toBeLessThan(0.2);
  });

  test('a-constant-that-changed-is-seen', () => {
    const edges = quantileEdges([[0.9, 5_000]], 10);
    const counts = {
      expected: binShares([[0.9, 5_000]], edges),
      actual: binShares([[0.89, 200]], edges),
    };
    const { psi, threshold, pValue, jensenShannon } = populationStability(counts);
    expect(psi).toBeGreaterThan(threshold);
    expect(pValue).toBeLessThan(1e-6);
    expect(jensenShannon).toBeCloseTo(1, 6);
  });
});

test('index-and-divergence-are-those-of-the-textbook', () => {
  const { psi, jensenShannon, pValue } = populationStability({
    expected: [50_000, 30_000, 20_000],
    actual: [40_000, 30_000, 30_000],
  });
  expect(psi).toBeCloseTo(-0.1 * Math.log(0.8) + 0.1 * Math.log(1.5), 4);
  const half = (p: number[], q: number[]) =>
    p.reduce((total, share, i) => total + share * Math.log2(share / ((share + (q[i] ?? 0)) / 2)), 0) / 2;
  const [e, a] = [
    [0.5, 0.3, 0.2],
    [0.4, 0.3, 0.3],
  ];
  expect(jensenShannon).toBeCloseTo(half(e, a) + half(a, e), 8);
  expect(pValue).toBe(0);
});

// Sokal and Rohlf's form of G: 2(Σ f ln f − Σ row ln row − Σ column ln column + n ln n); at one degree √G is normal.
test('p-value-is-that-of-the-g-test-of-a-2-by-2-table', () => {
  const counts = [60, 40, 45, 55];
  const f = (x: number) => x * Math.log(x);
  const g = 2 * (counts.reduce((t, x) => t + f(x), 0) - 2 * f(100) - f(105) - f(95) + f(200));
  const { pValue } = populationStability({ expected: [60, 40], actual: [45, 55] });
  expect(pValue).toBeCloseTo(1 - errorFunction(Math.sqrt(g / 2)), 6);
});

describe('bins', () => {
  const distributions = fc
    .array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 500 })), {
      minLength: 1,
      maxLength: 60,
    })
    .map((pairs): Centroids => [...new Map(pairs)].sort((a, b) => a[0] - b[0]));

  test('counts-add-up-to-all-and-frequent-values-stay-whole', () => {
    fc.assert(
      fc.property(distributions, fc.integer({ min: 2, max: 20 }), (distribution, bins) => {
        const edges = quantileEdges(distribution, bins);
        const counts = binShares(distribution, edges);
        expect(edges).toEqual([...edges].sort((a, b) => a - b));
        expect(counts).toHaveLength(edges.length + 1);
        const total = distribution.reduce((all, [, count]) => all + count, 0);
        expect(counts.reduce((all, count) => all + count, 0)).toBeCloseTo(total, 6);
        for (const count of counts) expect(Math.abs(count - Math.round(count))).toBeLessThan(1e-6);
        expect(populationStability({ expected: counts, actual: counts }).psi).toBeCloseTo(0, 9);
      }),
    );
  });

  test('a-digest-is-cut-as-its-values-are', () => {
    const random = randomFrom(9);
    const values = Array.from({ length: 5_000 }, () => -Math.log(1 - random())).sort((a, b) => a - b);
    const digest = Array.from({ length: 200 }, (_, i): [number, number] => {
      const part = values.slice(i * 25, i * 25 + 25);
      return [part.reduce((a, b) => a + b) / 25, 25];
    });
    const edges = [0.1, 0.5, 1, 2];
    const counts = binShares(digest, edges);
    const exact = binShares(
      values.map((value) => [value, 1]),
      edges,
    );
    for (const [i, count] of counts.entries()) expect(Math.abs(count - (exact[i] ?? 0))).toBeLessThan(8);
  });

  test('nothing-has-no-bins-to-compare', () => {
    expect(quantileEdges([], 10)).toEqual([]);
    expect(populationStability({ expected: [0], actual: [0] })).toMatchObject({ psi: 0, pValue: 1 });
  });
});

function drawCounts(shares: readonly number[], n: number, random: () => number): number[] {
  const counts = shares.map(() => 0);
  for (let i = 0; i < n; i += 1) {
    let left = random();
    const bin = shares.findIndex((share) => {
      left -= share;
      return left < 0;
    });
    const at = bin === -1 ? shares.length - 1 : bin;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

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
