import { describe, expect, test } from 'vitest';
import type { Part, Reading } from '../../sources/metric-source.ts';
import { formatWarning } from './format-warning.ts';
import { scoreWarning } from './score-warning.ts';
import { shareWarning } from './share-warning.ts';
import { warningRules } from './warning-rules.ts';

const DAY_MS = 24 * 3_600_000;

const reading = (n: number, value: number | null, more: Partial<Reading> = {}): Reading => ({
  n,
  value,
  sd: null,
  ...more,
});
const outcomes = (list: readonly number[]) =>
  reading(list.length, list.length === 0 ? null : list.reduce((a, b) => a + b) / list.length, {
    outcomes: list,
  });
const repeat = (value: number, times: number): number[] => Array(times).fill(value);

test('every-early-warning-says-that-it-is-one', () => {
  for (const rule of warningRules) {
    const verdict = rule.judge({ window: null, baseline: null }, rule.defaults);
    expect(verdict).toMatchObject({ rule: rule.id, warning: true, state: 'no-data', isClear: false });
  }
});

describe('format', () => {
  const judge = (window: Reading | null, baseline: Reading | null) =>
    formatWarning.judge({ window, baseline }, formatWarning.defaults);
  const baseline = reading(5_000, 0.996);

  test('warns-within-a-few-failures-and-counts-from-the-first', () => {
    const verdict = judge(outcomes([...repeat(1, 900), ...[0, 1, 0, 1, 0, 1, 0, 0, 1, 0]]), baseline);
    expect(verdict).toMatchObject({ state: 'firing', n: 10, value: 0.4, baseline: 0.996, pastBound: false });
    expect(verdict.threshold).toBeGreaterThan(0.95);
    expect(verdict.threshold).toBeLessThan(0.996);
  });

  test('stays-quiet-while-calls-fail-as-often-as-ever', () => {
    const usual = Array.from({ length: 2_000 }, (_, i) => Number(i % 250 !== 0));
    expect(judge(outcomes(usual), baseline)).toMatchObject({ state: 'ok', isClear: true, value: 0.996 });
  });

  test('is-clear-again-after-a-recovery', () => {
    const verdict = judge(outcomes([...repeat(0, 500), ...repeat(1, 600)]), baseline);
    expect(verdict).toMatchObject({ state: 'ok', isClear: true });
  });

  test.each([
    { name: 'too-small-a-baseline', baseline: reading(199, 1) },
    { name: 'no-baseline', baseline: null },
  ])('says-insufficient-with-$name', (one) => {
    expect(judge(outcomes(repeat(0, 50)), one.baseline)).toMatchObject({ state: 'insufficient', value: 0 });
  });

  test.each([Number.NaN, 4, -1])('an-outcome-of-%d-is-loud', (wrong) => {
    expect(() => judge(outcomes([1, wrong, 1]), baseline)).toThrow('not between 0 and 1');
  });

  test('says-no-data-where-the-source-has-no-outcomes', () => {
    expect(judge(reading(1_000, 0.9), baseline)).toMatchObject({
      state: 'no-data',
      detail: 'the source tells no single outcomes',
    });
    expect(judge(outcomes([]), baseline)).toMatchObject({ state: 'no-data', detail: null });
  });
});

describe('score', () => {
  const judge = (window: Reading | null, baseline: Reading | null) =>
    scoreWarning.judge({ window, baseline }, scoreWarning.defaults);
  const scores = (mean: number, n: number) =>
    Array.from({ length: n }, (_, i) => mean + ((i % 5) - 2) * 0.05);
  const judged = (by: Record<string, number>, mean: number) =>
    Object.fromEntries(Object.entries(by).map(([name, n]) => [name, { n, mean, sd: 0.07, since: null }]));

  test('warns-of-a-fall-with-a-distribution-or-only-mean-and-spread', () => {
    const window = outcomes([...scores(0.85, 500), ...scores(0.65, 20)]);
    const distribution = [0.75, 0.8, 0.85, 0.9, 0.95].map((score) => [score, 400] as const);
    for (const baseline of [reading(2_000, 0.85, { distribution }), reading(2_000, 0.85, { sd: 0.07 })]) {
      expect(judge(window, baseline)).toMatchObject({ state: 'firing' });
      expect(judge(outcomes(scores(0.85, 2_000)), baseline)).toMatchObject({ state: 'ok', isClear: true });
    }
  });

  test('an-unknown-spread-is-the-greatest-that-there-can-be', () => {
    const window = outcomes([...scores(0.85, 500), ...scores(0.65, 20)]);
    expect(judge(window, reading(2_000, 0.85)).state).toBe('ok');
  });

  test('a-stricter-judge-is-no-fall', () => {
    const window = { ...outcomes(scores(0.6, 300)), judges: judged({ new: 300 }, 0.6) };
    const before = reading(2_000, 0.85, { sd: 0.07, judges: judged({ old: 2_000 }, 0.85) });
    expect(judge(window, before)).toMatchObject({ state: 'insufficient', baselineN: 0 });
    expect(judge(window, before).detail).toContain('judges');
    const mixed = { ...window, judges: judged({ old: 150, new: 150 }, 0.7) };
    expect(judge(mixed, before).state).toBe('insufficient');
  });

  test('one-judge-is-compared-with-its-own-scores', () => {
    const window = { ...outcomes(scores(0.6, 300)), judges: judged({ strict: 300 }, 0.6) };
    const judges = { ...judged({ mild: 2_000 }, 0.9), ...judged({ strict: 500 }, 0.6) };
    expect(judge(window, reading(2_500, 0.84, { sd: 0.2, judges }))).toMatchObject({
      state: 'ok',
      baseline: 0.6,
      baselineN: 500,
    });
  });
});

describe('one-user-or-endpoint', () => {
  const users = (calls: readonly number[], tokensPerCall = 1_000): Record<string, Part> =>
    Object.fromEntries(calls.map((n, i) => [`user u${i}`, { calls: n, tokens: n * tokensPerCall }]));
  const sumOf = (calls: readonly number[]) => calls.reduce((a, b) => a + b, 0);
  const judge = (now: readonly number[], tokensPerCall?: number) =>
    shareWarning.judge(
      {
        window: reading(sumOf(now), 0.5, { parts: users(now, tokensPerCall) }),
        baseline: reading(14_400, 0.5, {
          parts: users([1_440, 1_440, 1_440, 10_080]),
          coveredMs: DAY_MS / 10,
          dispersion: 20,
        }),
      },
      shareWarning.defaults,
    );

  test('far-above-its-own-rate-is-named', () => {
    expect(judge([60, 10, 10, 70])).toMatchObject({ state: 'firing', value: 6 });
    expect(judge([60, 10, 10, 70]).detail).toContain('user u0');
  });

  test('more-tokens-in-as-many-calls-count-too', () => {
    expect(judge([30, 10, 10, 70], 3_000)).toMatchObject({ state: 'firing', value: 9 });
  });

  test('a-rush-of-everybody-is-nobodys', () => {
    expect(judge([50, 50, 50, 350])).toMatchObject({ state: 'ok', isClear: true });
  });

  test('one-who-goes-on-while-the-others-rest-does-nothing-new', () => {
    expect(judge([25, 0, 0, 0])).toMatchObject({ state: 'ok', isClear: true });
  });

  test('few-calls-are-no-loop-and-a-quiet-minute-is-clear', () => {
    expect(judge([15, 0, 0, 1])).toMatchObject({ state: 'ok', isClear: true });
  });

  test('who-is-most-of-the-traffic-already-is-no-suspect', () => {
    expect(judge([10, 10, 10, 280]).state).toBe('ok');
    expect(judge([10, 10, 10, 700]).state).toBe('ok');
  });

  test('who-is-new-is-held-against-the-busiest', () => {
    expect(judge([10, 10, 10, 70, 150]).state).toBe('ok');
    expect(judge([10, 10, 10, 70, 1_000])).toMatchObject({ state: 'firing' });
  });

  test('without-covered-time-there-is-no-rate', () => {
    const window = reading(100, 1, { parts: users([100]) });
    const baseline = reading(14_400, 1, { parts: users([14_400]) });
    expect(shareWarning.judge({ window, baseline }, shareWarning.defaults).state).toBe('insufficient');
  });
});
