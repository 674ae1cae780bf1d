import fc from 'fast-check';
import { errorFunction } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../random.ts';
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

  // Double arithmetic on I − Q loses about as many digits as the run length has: 4e-16 × length, measured.
  test('are-those-of-the-linear-system-solved-in-whole-numbers', () => {
    const weight = fc.integer({ min: 1, max: 20 });
    const steps = fc
      .dictionary(fc.integer({ min: -5, max: 7 }).map(String), weight, { minKeys: 2, maxKeys: 6 })
      .filter((one) => Object.keys(one).some((step) => Number(step) > 0));
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 14 }), (weights, limit) => {
        const exact = solvedExactly(weights, limit);
        fc.pre(exact < 1e12);
        const next = runLengths(sharesOf(weights));
        let length = 0;
        for (let h = 0; h <= limit; h += 1) length = next();
        expect(Math.abs(length / exact - 1)).toBeLessThan(1e-15 * (exact + 1));
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
    const random = createRandom(21);
    const runs = 4_000;
    let calls = 0;
    for (let run = 0; run < runs; run += 1) {
      for (let statistic = 0; statistic <= 20; calls += 1) {
        statistic = Math.max(0, statistic + (random.chance(0.03) ? 9 : -1));
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

/** Cramer's rule by Bareiss elimination: every number stays whole, so nothing is rounded before the last division. */
function solvedExactly(weights: Record<string, number>, limit: number): number {
  const total = BigInt(Object.values(weights).reduce((a, b) => a + b));
  const size = limit + 1;
  // States from the highest to the lowest, so that the last unknown is the run length from 0.
  const rows = Array.from({ length: size }, (_, index) => {
    const row = Array.from({ length: size + 1 }, (__, column) =>
      column === index || column === size ? total : 0n,
    );
    for (const [step, weight] of Object.entries(weights)) {
      const to = Math.max(0, limit - index + Number(step));
      if (to <= limit) row[limit - to] = (row[limit - to] ?? 0n) - BigInt(weight);
    }
    return row;
  });
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0n;
  let divisor = 1n;
  for (let pivot = 0; pivot < limit; pivot += 1) {
    for (let below = pivot + 1; below < size; below += 1) {
      rows[below] = (rows[below] ?? []).map((value, column) =>
        column <= pivot ? 0n : (value * at(pivot, pivot) - at(below, pivot) * at(pivot, column)) / divisor,
      );
    }
    divisor = at(pivot, pivot);
  }
  const digits = 10n ** 20n;
  return Number((at(limit, size) * digits) / at(limit, limit)) / 1e20;
}
