import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../random.ts';
import { compareCategories, compareCounts, compareNumbers, holm } from './two-samples.ts';

const random = createRandom(11);
const numbers = (n: number, shift = 0) => Array.from({ length: n }, () => random.next() + shift);
const repeated = (counts: Record<string, number>) =>
  Object.entries(counts).flatMap(([name, n]) => Array<string>(n).fill(name));

describe('two samples of numbers', () => {
  // By hand: F jumps at 1, 2, 3, 4 by a quarter, G at 3, 4, 5, 6; they are furthest apart at 2 and at 4, by a half.
  test('the-distance-is-the-largest-gap-between-the-distribution-functions', () => {
    expect(compareNumbers([1, 2, 3, 4], [3, 4, 5, 6])?.size).toBeCloseTo(0.5, 12);
    expect(compareNumbers([1, 1, 2], [1, 1, 2])).toMatchObject({ size: 0, p: 1 });
    expect(compareNumbers([], [1])).toBeNull();
  });

  // Critical values of the limiting distribution: K = 1.3581 at 5 % and 1.6276 at 1 % (Smirnov 1948).
  test.each([
    [1.3581, 0.05],
    [1.6276, 0.01],
  ])('the-tail-beyond-%d-is-%d', (critical, p) => {
    const n = 1_000_000;
    const root = Math.sqrt(n / 2);
    const size = critical / (root + 0.12 + 0.11 / root);
    const gap = Math.round(size * n);
    const before = Array<number>(n).fill(0);
    const after = [...Array<number>(n - gap).fill(0), ...Array<number>(gap).fill(1)];
    expect(compareNumbers(before, after)?.p).toBeCloseTo(p, 3);
  });

  test('without-a-difference-few-p-values-are-small-and-with-one-all-are', () => {
    const small = (shift: number) =>
      Array.from({ length: 400 }, () => compareNumbers(numbers(80), numbers(120, shift))?.p ?? 1).filter(
        (p) => p < 0.05,
      );
    expect(small(0).length).toBeLessThan(400 * 0.09);
    expect(small(0.5).length).toBe(400);
  });
});

describe('two samples of categories', () => {
  // Fisher's example: 2×2 table 10, 10 / 5, 15 has χ² = 2.667 (40·(10·15 − 10·5)² / (20·20·15·25)).
  test('chi-square-and-v-are-those-of-the-table', () => {
    const compared = compareCategories(repeated({ en: 10, de: 10 }), repeated({ en: 5, de: 15 }));
    expect(compared?.size).toBeCloseTo(Math.sqrt(2.6667 / 40), 4);
    expect(compared?.p).toBeCloseTo(0.1025, 3);
  });

  test('rare-categories-count-together-and-one-alone-is-no-comparison', () => {
    expect(compareCategories(repeated({ en: 50 }), repeated({ en: 60 }))).toBeNull();
    expect(compareCategories(repeated({ en: 50, a: 1 }), repeated({ en: 50, b: 2 }))?.p).toBeGreaterThan(0.3);
    expect(compareCategories([], ['en'])).toBeNull();
  });
});

describe('two samples of word counts', () => {
  const texts = (n: number, favourite: number) =>
    Array.from({ length: n }, () =>
      Array.from({ length: 8 }, (_, bucket) => random.below(3) + (bucket === favourite ? 2 : 0)),
    );

  test('nothing-in-common-is-one-and-the-same-is-nought', () => {
    expect(compareCounts([[4, 0]], [[0, 9]])?.size).toBeCloseTo(1, 12);
    expect(compareCounts([[4, 2]], [[2, 1]])?.size).toBeCloseTo(0, 12);
  });

  test('whole-texts-are-shuffled-so-chance-stays-chance', () => {
    const ps = Array.from({ length: 100 }, () => compareCounts(texts(30, 1), texts(30, 1))?.p ?? 0);
    expect(ps.filter((p) => p <= 0.05).length).toBeLessThanOrEqual(13);
    expect(compareCounts(texts(30, 1), texts(30, 5))?.p).toBeCloseTo(0.005, 12);
  });
});

test('holm-keeps-the-order-and-never-lowers-a-p-value', () => {
  expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
      const adjusted = holm(ps);
      ps.forEach((p, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        ps.forEach((other, j) => {
          if (p < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
        });
      });
    }),
  );
});
