import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Z_ONE_SIDED_95 } from '../detection/statistics.ts';
import { type Arms, type ArmTotals, describeArms, differenceOf, judgeGate, METRICS } from './shift-gate.ts';

const GATE = { margin: 0.05, minCalls: 100, minutes: 30 };
const NOTHING: ArmTotals = {
  n: 0,
  errors: 0,
  formatted: 0,
  formatPassed: 0,
  scored: 0,
  scoreSum: 0,
  scoreSquares: 0,
};

const withFormat = (n: number, passed: number): ArmTotals => ({
  ...NOTHING,
  n,
  formatted: n,
  formatPassed: passed,
});
const judge = (arms: Arms, more: { lookedAt?: number; isLate?: boolean } = {}) =>
  judgeGate({ arms, gate: GATE, lookedAt: 0, isLate: false, ...more });

const arm = fc
  .record({
    n: fc.integer({ min: 1, max: 1_000 }),
    format: fc.double({ min: 0, max: 1, noNaN: true }),
    answered: fc.double({ min: 0, max: 1, noNaN: true }),
    scores: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 }),
  })
  .map(({ n, format, answered, scores }): ArmTotals => {
    const scored = Math.min(n, scores.length);
    const used = scores.slice(0, scored);
    return {
      n,
      errors: Math.round((1 - answered) * n),
      formatted: n,
      formatPassed: Math.round(format * n),
      scored,
      scoreSum: used.reduce((sum, one) => sum + one, 0),
      scoreSquares: used.reduce((sum, one) => sum + one * one, 0),
    };
  });

describe('the comparison of two arms', () => {
  test('swapped-arms-have-the-opposite-difference', () => {
    fc.assert(
      fc.property(arm, arm, fc.constantFrom(...METRICS), (fresh, old, metric) => {
        const here = differenceOf({ fresh, old }, metric, Z_ONE_SIDED_95);
        const there = differenceOf({ fresh: old, old: fresh }, metric, Z_ONE_SIDED_95);
        expect(here.lower).toBeCloseTo(-there.upper, 9);
        expect(here.upper).toBeCloseTo(-there.lower, 9);
        expect(here.lower).toBeLessThanOrEqual(here.upper + 1e-12);
      }),
    );
  });

  test('one-more-good-call-never-makes-the-new-arm-look-worse', () => {
    fc.assert(
      fc.property(arm, arm, (fresh, old) => {
        fc.pre(fresh.formatPassed < fresh.formatted);
        const better = { ...fresh, formatPassed: fresh.formatPassed + 1 };
        const was = differenceOf({ fresh, old }, 'format', Z_ONE_SIDED_95);
        const is = differenceOf({ fresh: better, old }, 'format', Z_ONE_SIDED_95);
        expect(is.lower).toBeGreaterThanOrEqual(was.lower - 1e-12);
        expect(is.upper).toBeGreaterThanOrEqual(was.upper - 1e-12);
      }),
    );
  });
});

describe('the gate', () => {
  test.each([
    ['too few calls', { fresh: withFormat(99, 99), old: withFormat(900, 900) }, 'waiting'],
    ['as good', { fresh: withFormat(140, 136), old: withFormat(420, 370) }, 'passed'],
    ['worse', { fresh: withFormat(140, 100), old: withFormat(420, 410) }, 'failed'],
    ['worse beyond doubt from few calls', { fresh: withFormat(25, 8), old: withFormat(75, 74) }, 'failed'],
    ['cannot be told', { fresh: withFormat(100, 88), old: withFormat(300, 276) }, 'waiting'],
    ['none in the new arm', { fresh: NOTHING, old: withFormat(900, 900) }, 'waiting'],
  ] as const)('of arms that are: %s', (_, arms, verdict) => {
    expect(judge(arms).verdict).toBe(verdict);
    const late = verdict === 'waiting' ? 'undecided' : verdict;
    expect(judge(arms, { isLate: true }).verdict).toBe(late);
  });

  test('calls-that-fail-are-worse-and-scores-count-where-there-are-enough', () => {
    const failing = { fresh: { ...withFormat(200, 190), errors: 60 }, old: withFormat(600, 570) };
    expect(judge(failing).verdict).toBe('failed');
    const scored = (n: number, mean: number) => ({
      ...withFormat(200, 200),
      scored: n,
      scoreSum: n * mean,
      scoreSquares: n * (mean ** 2 + 0.01),
    });
    expect(judge({ fresh: scored(100, 0.6), old: scored(100, 0.85) }).verdict).toBe('failed');
    expect(judge({ fresh: scored(100, 0.85), old: scored(100, 0.85) }).verdict).toBe('passed');
    expect(judge({ fresh: scored(12, 0.85), old: scored(100, 0.85) }).verdict).toBe('waiting');
    expect(judge({ fresh: scored(3, 0.1), old: scored(5, 0.85) }).verdict).toBe('passed');
  });

  test('it-looks-again-only-at-half-as-many-calls-more', () => {
    const arms = { fresh: withFormat(120, 105), old: withFormat(360, 331) };
    expect(judge(arms)).toEqual({ verdict: 'waiting', lookedAt: 120 });
    const worse = { fresh: withFormat(150, 105), old: withFormat(450, 414) };
    expect(judge(worse, { lookedAt: 120 })).toEqual({ verdict: 'waiting', lookedAt: 120 });
    const enough = { fresh: withFormat(180, 126), old: withFormat(540, 497) };
    expect(judge(enough, { lookedAt: 120 })).toEqual({ verdict: 'failed', lookedAt: 180 });
  });

  test('never-both-passes-and-fails-and-a-better-arm-never-does-worse', () => {
    const rank = { failed: 0, waiting: 1, undecided: 1, passed: 2 };
    fc.assert(
      fc.property(arm, arm, (fresh, old) => {
        fc.pre(fresh.formatPassed < fresh.formatted);
        const better = { ...fresh, formatPassed: fresh.formatPassed + 1 };
        const was = judge({ fresh, old }, { isLate: true }).verdict;
        expect(rank[judge({ fresh: better, old }, { isLate: true }).verdict]).toBeGreaterThanOrEqual(
          rank[was],
        );
      }),
    );
  });
});

describe('the gate over many shifts', () => {
  /** A stage of 25 %: calls come one by one and the gate is asked after every tenth of the new arm. */
  const outcomeOf = (random: () => number, share: { fresh: number; old: number }) => {
    let [fresh, old, lookedAt] = [NOTHING, NOTHING, 0];
    for (let n = 10; n <= 600; n += 10) {
      fresh = withFormat(n, fresh.formatPassed + passes(random, 10, share.fresh));
      old = withFormat(n * 3, old.formatPassed + passes(random, 30, share.old));
      const judged = judgeGate({ arms: { fresh, old }, gate: GATE, lookedAt, isLate: n === 600 });
      lookedAt = judged.lookedAt;
      if (judged.verdict !== 'waiting') return judged.verdict;
    }
    throw new Error('the last look decides');
  };
  const sharesOf = (share: { fresh: number; old: number }, seed: number) => {
    const random = randomFrom(seed);
    const tries = 1_000;
    const outcomes = Array.from({ length: tries }, () => outcomeOf(random, share));
    const of = (wanted: string) => outcomes.filter((one) => one === wanted).length / tries;
    return { passed: of('passed'), failed: of('failed') };
  };

  test.each([0.8, 0.9, 0.97])('an-arm-that-is-as-good-at-%d-is-seldom-stepped-back', (share) => {
    const { passed, failed } = sharesOf({ fresh: share, old: share }, 11);
    expect(failed).toBeLessThan(0.01);
    expect(passed).toBeGreaterThan(0.85);
  });

  test('an-arm-that-is-ten-points-worse-seldom-passes-and-one-twenty-points-worse-is-stepped-back', () => {
    expect(sharesOf({ fresh: 0.8, old: 0.9 }, 12).passed).toBeLessThan(0.02);
    const { passed, failed } = sharesOf({ fresh: 0.7, old: 0.9 }, 13);
    expect(passed).toBe(0);
    expect(failed).toBeGreaterThan(0.98);
  });

  test('an-arm-that-is-exactly-at-the-margin-passes-about-as-often-as-is-stated', () => {
    expect(sharesOf({ fresh: 0.85, old: 0.9 }, 14).passed).toBeLessThan(0.15);
  });
});

test('both-arms-are-told-with-their-numbers', () => {
  const arms = { fresh: withFormat(140, 136), old: withFormat(420, 370) };
  expect(describeArms(arms)).toBe('new arm format 97.1 % (n = 140) against 88.1 % (n = 420)');
  expect(describeArms({ ...arms, fresh: { ...arms.fresh, errors: 14 } })).toContain(
    '; answered 90.0 % (n = 140) against 100.0 % (n = 420)',
  );
});

function passes(random: () => number, calls: number, share: number): number {
  return Array.from({ length: calls }, () => Number(random() < share)).reduce((sum, one) => sum + one, 0);
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
