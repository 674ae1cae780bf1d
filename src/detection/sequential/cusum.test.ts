import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runLengths } from './arl.ts';
import { designBernoulli, designMean, runCusum } from './cusum.ts';
import type { Design } from './limit.ts';

const ARL0 = 100_000;

/** Exact calls to an alarm when calls pass with this share. */
function lengthAt(design: Design, passing: number): number {
  const step = (outcome: number) => Math.round((design.reference - outcome) * design.scale);
  const next = runLengths(
    new Map([
      [step(0), 1 - passing],
      [step(1), passing],
    ]),
  );
  let length = 0;
  // Longer than this is never: beyond it the arithmetic has no digits left.
  for (let h = 0; h <= design.limit && length < 1e12; h += 1) length = next();
  return length;
}

/** Each count of failures that a baseline of n calls may well show, with its chance. */
function baselinesOf(n: number, failing: number): { failed: number; chance: number }[] {
  let logChance = n * Math.log(1 - failing);
  const counts: { failed: number; chance: number }[] = [];
  for (let failed = 0; failed <= n; failed += 1) {
    const chance = Math.exp(logChance);
    if (chance > 1e-5) counts.push({ failed, chance });
    logChance += Math.log(((n - failed) / (failed + 1)) * (failing / (1 - failing)));
  }
  return counts;
}

describe('the-promised-false-alarm-rate', () => {
  // Exact: over all baselines that a service could have shown, at its true share, which the design does not know.
  test.each([
    [200, 0.01],
    [200, 0.1],
    [500, 0.004],
    [500, 0.03],
    [1_000, 0.004],
    [1_000, 0.01],
    [5_000, 0.004],
    [5_000, 0.1],
  ])('holds-for-pass-and-fail-whatever-a-baseline-of-%d-calls-at-%d-shows', (n, failing) => {
    let [rate, chances] = [0, 0];
    for (const { failed, chance } of baselinesOf(n, failing)) {
      const design = designBernoulli({ passed: n - failed, n, arl0: ARL0, failing: 0.05 });
      if (design === null) continue;
      rate += chance / lengthAt(design, 1 - failing);
      chances += chance;
    }
    expect(chances).toBeGreaterThan(0.99);
    expect(rate * ARL0).toBeLessThanOrEqual(1);
  });

  test.each([
    [200, 0.16],
    [500, 0.03],
    [1_000, 0.16],
    [1_000, 0.5],
  ])('holds-for-scores-whatever-a-baseline-of-%d-calls-at-%d-shows', (n, failing) => {
    let rate = 0;
    for (const { failed, chance } of baselinesOf(n, failing).filter((one) => one.chance > 1e-4)) {
      const scores = [
        [0, failed],
        [1, n - failed],
      ] as const;
      const design = designMean({ scores, arl0: 30_000, fall: 0.15 });
      if (design !== null) rate += chance / lengthAt(design, 1 - failing);
    }
    expect(rate * 30_000).toBeLessThanOrEqual(1);
  });

  test('holds-for-scores-between-0-and-1', () => {
    const random = randomFrom(5);
    const score = () => Math.min(1, Math.max(0, 0.8 + 0.12 * normal(random)));
    let [calls, alarms] = [0, 0];
    for (let service = 0; service < 20; service += 1) {
      const scores = Array.from({ length: 500 }, (): [number, number] => [score(), 1]);
      const design = designMean({ scores, arl0: 2_000, fall: 0.15 });
      for (let run = 0; run < 50 && design !== null; run += 1) {
        const { alarmAt } = runCusum(
          Array.from({ length: 1_000 }, () => score()),
          design,
        );
        calls += alarmAt === null ? 1_000 : alarmAt + 1;
        alarms += Number(alarmAt !== null);
      }
    }
    expect(alarms / calls).toBeLessThan(1 / 2_000);
    expect(alarms).toBeGreaterThan(20);
  });
});

describe('what-a-baseline-leaves-open', () => {
  test('costs-delay-and-a-longer-baseline-buys-it-back', () => {
    const delays = [200, 500, 1_000, 5_000].map((n) => {
      const design = designBernoulli({ passed: n * 0.99, n, arl0: ARL0, failing: 0.05 });
      return design === null ? Number.POSITIVE_INFINITY : lengthAt(design, 0.9);
    });
    expect(delays).toEqual([...delays].sort((a, b) => b - a));
  });

  test('one-bad-outcome-alone-is-no-alarm-however-perfect-the-baseline', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 1_000_000 }), (n) => {
        for (const design of [
          designBernoulli({ passed: n, n, arl0: ARL0, failing: 0.05 }),
          designMean({ scores: [[1, n]], arl0: ARL0, fall: 0.15 }),
        ]) {
          if (design === null) continue;
          expect(runCusum([1, 1, 0], design).isAlarm).toBe(false);
          expect(runCusum(Array(30).fill(0), design).isAlarm).toBe(true);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('a-baseline-that-always-failed-has-nothing-to-lose', () => {
    const design = designBernoulli({ passed: 0, n: 500, arl0: ARL0, failing: 0.05 });
    if (design !== null) expect(runCusum(Array(2_000).fill(0), design).isAlarm).toBe(false);
  });
});

describe('the-chart', () => {
  const design: Design = { baseline: 0.99, reference: 0.975, scale: 40, limit: 100, arl: ARL0 };

  test('says-where-the-change-began-and-when-it-was-sure', () => {
    const outcomes = [...Array(50).fill(1), 0, 0, 1, 0];
    expect(runCusum(outcomes, design)).toEqual({ statistic: 116, isAlarm: true, alarmAt: 53, startedAt: 50 });
  });

  test('comes-back-after-a-recovery-however-long-it-was-bad', () => {
    const run = runCusum([...Array(1_000).fill(0), ...Array(30).fill(1)], design);
    expect(run).toMatchObject({ isAlarm: false, alarmAt: 2 });
  });

  test('of-the-newest-is-never-above-that-of-all', () => {
    const outcome = fc.constantFrom(0, 1, 1, 1, 1, 1);
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 2, maxLength: 300 }), fc.nat(299), (all, from) => {
        const newest = all.slice(Math.min(from, all.length));
        expect(runCusum(newest, design).statistic).toBeLessThanOrEqual(runCusum(all, design).statistic);
      }),
    );
  });

  test('of-nothing-says-nothing', () => {
    expect(runCusum([], design)).toEqual({ statistic: 0, isAlarm: false, alarmAt: null, startedAt: null });
  });
});

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
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
