import fc from 'fast-check';
import { errorFunction } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import { runLengths, type StepShares } from './arl.ts';

const below = (x: number) => (1 + errorFunction(x / Math.SQRT2)) / 2;

describe('run-lengths', () => {
  // One-sided, standard normal, k = 0.5: Hawkins and Olwell, Cumulative Sum Charts (1998); twice the two-sided 168 and
  // 465 of Montgomery's table (two charts alarm twice as often). With a shift of one sd: 8.38 and 10.4.
  test.each([
    { limit: 4, shift: 0, expected: 335.4 },
    { limit: 5, shift: 0, expected: 930 },
    { limit: 4, shift: 1, expected: 8.38 },
    { limit: 5, shift: 1, expected: 10.38 },
  ])('normal-chart-with-limit-$limit-and-shift-$shift-as-published', ({ limit, shift, expected }) => {
    const perUnit = 40;
    const steps = new Map<number, number>();
    for (let step = -6 * perUnit; step <= 6 * perUnit; step += 1) {
      const from = (step - 0.5) / perUnit + 0.5 - shift;
      steps.set(step, below(from + 1 / perUnit) - below(from));
    }
    // A lattice chart that alarms above h stands for a continuous one that alarms half a step higher.
    const next = runLengths(steps);
    let [before, length] = [0, 0];
    for (let h = 0; h <= limit * perUnit; h += 1) [before, length] = [length, next()];
    expect((before + length) / 2 / expected).toBeCloseTo(1, 2);
  });

  test('are-those-of-the-linear-system-solved-at-once', () => {
    const probability = fc.integer({ min: 1, max: 20 });
    const steps = fc
      .dictionary(fc.integer({ min: -5, max: 7 }).map(String), probability, { minKeys: 2, maxKeys: 6 })
      .filter((one) => Object.keys(one).some((step) => Number(step) > 0));
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 14 }), (weights, limit) => {
        const shares = sharesOf(weights);
        const next = runLengths(shares);
        let length = 0;
        for (let h = 0; h <= limit; h += 1) length = next();
        expect(length / solvedAtOnce(shares, limit)).toBeCloseTo(1, 6);
      }),
    );
  });

  test('of-pass-and-fail-are-those-of-a-simulation', () => {
    const steps = new Map([
      [-1, 0.97],
      [9, 0.03],
    ]);
    const next = runLengths(steps);
    const exact = Array.from({ length: 21 }, next)[20] ?? 0;
    const random = randomFrom(21);
    const runs = 4_000;
    let calls = 0;
    for (let run = 0; run < runs; run += 1) {
      for (let statistic = 0; statistic <= 20; calls += 1) {
        statistic = Math.max(0, statistic + (random() < 0.03 ? 9 : -1));
      }
    }
    // Run lengths are about exponential: the mean of 4,000 has a standard error of 1.6 %.
    expect(calls / runs / exact).toBeGreaterThan(0.95);
    expect(calls / runs / exact).toBeLessThan(1.05);
  });

  test('grow-with-the-limit-and-start-with-the-first-step-up', () => {
    const next = runLengths(
      new Map([
        [-1, 0.8],
        [3, 0.2],
      ]),
    );
    const lengths = Array.from({ length: 50 }, next);
    expect(lengths[0]).toBeCloseTo(5, 10);
    for (let h = 1; h < lengths.length; h += 1) {
      expect(lengths[h] ?? 0).toBeGreaterThanOrEqual((lengths[h - 1] ?? 0) - 1e-9);
    }
  });

  test('never-end-where-nothing-goes-up', () => {
    expect(runLengths(new Map([[-1, 1]]))()).toBe(Number.POSITIVE_INFINITY);
  });
});

function sharesOf(weights: Record<string, number>): StepShares {
  const total = Object.values(weights).reduce((a, b) => a + b);
  return new Map(Object.entries(weights).map(([step, weight]) => [Number(step), weight / total]));
}

/** Gauss–Jordan on the whole system, with pivots. */
function solvedAtOnce(steps: StepShares, limit: number): number {
  const size = limit + 1;
  const rows = Array.from({ length: size }, (_, state) => {
    const row = Array.from({ length: size + 1 }, (_, to) => Number(to === state || to === size));
    for (const [step, share] of steps) {
      const to = Math.max(0, state + step);
      if (to <= limit) row[to] = (row[to] ?? 0) - share;
    }
    return row;
  });
  for (let column = 0; column < size; column += 1) {
    const rest = rows.slice(column);
    const pivot = rest.reduce((a, b) => (Math.abs(b[column] ?? 0) > Math.abs(a[column] ?? 0) ? b : a));
    rows.splice(rows.indexOf(pivot, column), 1);
    rows.splice(
      column,
      0,
      pivot.map((value) => value / (pivot[column] ?? 1)),
    );
    const own = rows[column] ?? [];
    for (const [at, row] of rows.entries()) {
      const factor = row[column] ?? 0;
      if (at !== column && factor !== 0) rows[at] = row.map((value, i) => value - factor * (own[i] ?? 0));
    }
  }
  return rows[0]?.[size] ?? Number.NaN;
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
