import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../sources/metric-source.ts';
import { suspectsOf } from '../offender.ts';
import { costShare } from './cost-share.ts';
import { costSpend } from './cost-spend.ts';
import { costSpike } from './cost-spike.ts';
import { costTokens } from './cost-tokens.ts';

describe('tokens per request', () => {
  const baseline: Reading = { n: 5_000, value: 1_000, sd: 900 };
  const verdict = (window: Reading, base = baseline) =>
    costTokens.judge({ window, baseline: base }, costTokens.defaults);

  test('above-1.5-times-the-baseline-fire', () => {
    expect(verdict({ n: 500, value: 1_500, sd: 900 })).toMatchObject({ state: 'ok', isClear: false });
    expect(verdict({ n: 500, value: 1_510, sd: 900 })).toMatchObject({
      state: 'firing',
      threshold: 1_500,
      pastBound: false,
    });
    expect(verdict({ n: 500, value: 1_700, sd: 900 })).toMatchObject({
      pastBound: true,
      unmistakable: false,
    });
    expect(verdict({ n: 500, value: 2_000, sd: 900 })).toMatchObject({ pastBound: true, unmistakable: true });
    expect(verdict({ n: 500, value: 1_300, sd: 900 }).isClear).toBe(true);
    expect(verdict({ n: 49, value: 9_000, sd: 900 }).state).toBe('insufficient');
  });

  test('of-unknown-spread-are-never-past-a-bound', () => {
    expect(verdict({ n: 500, value: 9_000, sd: null })).toMatchObject({
      state: 'firing',
      pastBound: false,
      lower: null,
    });
    expect(verdict({ n: 500, value: 9_000, sd: 900 }, { ...baseline, sd: null }).pastBound).toBe(false);
  });
});

describe('a single request', () => {
  const verdict = (max: number, baselineN = 1_000) =>
    costSpike.judge(
      { window: { n: 3, value: 800, sd: null, max }, baseline: { n: baselineN, value: 1_000, sd: null } },
      costSpike.defaults,
    );

  test('above-three-times-the-95th-percentile-is-a-ticket', () => {
    expect(verdict(3_000).state).toBe('ok');
    expect(verdict(3_001)).toMatchObject({
      state: 'firing',
      value: 3_001,
      threshold: 3_000,
      pastBound: false,
    });
    expect(verdict(9_000, 199).state).toBe('insufficient');
  });
});

describe('spend', () => {
  const verdict = (fast: number | null, slow: number | null) => {
    const reading = (value: number | null) => ({ n: 10, value, sd: null });
    return costSpend.judge(
      { fast: reading(fast), slow: reading(slow), offender: null, before: null },
      costSpend.defaults,
    );
  };

  test('fires-when-both-windows-are-above-50-dollars-an-hour', () => {
    expect(verdict(80, 51)).toMatchObject({
      state: 'firing',
      value: 51,
      pastBound: true,
      unmistakable: false,
    });
    expect(verdict(500, 49)).toMatchObject({ state: 'ok', isClear: false, value: 49 });
    expect(verdict(44, 90)).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict(null, 90).state).toBe('no-data');
    const offender = { n: 50, value: 0.8, sd: null, about: 'user u-7' };
    const named = costSpend.judge(
      { fast: { n: 9, value: 80, sd: null }, slow: { n: 9, value: 60, sd: null }, offender, before: null },
      costSpend.defaults,
    );
    expect(named.detail).toBe('user u-7');
    expect(costSpend.asks(costSpend.defaults)).toMatchObject({
      fast: { over: { minutes: 5 } },
      slow: { over: { minutes: 15 } },
    });
  });
});

describe('the share of one user or endpoint', () => {
  const window: Reading = {
    n: 200,
    value: 0.8,
    sd: null,
    about: 'user u1',
    parts: {
      'user u1': { calls: 150, tokens: 80_000 },
      'user u2': { calls: 20, tokens: 8_000 },
      'endpoint /a': { calls: 200, tokens: 100_000 },
    },
  };
  const WEEK_TOKENS = 67_200_000;
  /** A week in which u1 took this share of the tokens and of the calls; the only endpoint took all. */
  const weekOf = (share: number): Reading => ({
    n: 20_000,
    value: 1,
    sd: null,
    about: 'endpoint /a',
    parts: {
      'user u1': { calls: share * 20_000, tokens: share * WEEK_TOKENS },
      'user u2': { calls: (1 - share) * 20_000, tokens: (1 - share) * WEEK_TOKENS },
      'endpoint /a': { calls: 20_000, tokens: WEEK_TOKENS },
    },
  });
  const verdict = (baseline: Reading, now = window) =>
    costShare.judge({ window: now, baseline }, costShare.defaults);

  test('fires-above-half-of-the-tokens-at-three-times-its-own-baseline', () => {
    expect(verdict(weekOf(0.4))).toMatchObject({
      state: 'firing',
      value: 0.8,
      pastBound: true,
      detail: 'user u1, at 5.9 × its own baseline',
    });
    expect(verdict(weekOf(0.6))).toMatchObject({ state: 'ok', isClear: true, detail: null });
    const few = { ...window, parts: { ...window.parts, 'user u1': { calls: 8, tokens: 80_000 } } };
    expect(verdict(weekOf(0.4), few)).toMatchObject({ state: 'firing', pastBound: false });
    expect(verdict({ ...weekOf(0.4), n: 199 }).state).toBe('insufficient');
  });

  test('of-someone-who-is-always-most-of-it-is-no-incident', () => {
    expect(verdict(weekOf(0.8)).state).toBe('ok');
  });

  test('compares-with-the-others-so-that-a-rush-of-all-names-nobody', () => {
    const rush = Object.fromEntries(
      Object.entries(weekOf(0.8).parts ?? {}).map(([name, part]) => [
        name,
        { calls: part.calls / 10, tokens: part.tokens / 10 },
      ]),
    );
    expect(verdict(weekOf(0.8), { ...weekOf(0.8), n: 2_000, parts: rush }).state).toBe('ok');
    const { about: _unknown, ...untold } = weekOf(0.4);
    expect(verdict(untold).state).toBe('insufficient');
  });

  test('names-the-user-behind-the-endpoint-that-took-most', () => {
    const parts = {
      'endpoint /chat': { calls: 120, tokens: 61_000 },
      'endpoint /mail': { calls: 80, tokens: 39_000 },
      'user u7': { calls: 90, tokens: 44_000 },
    };
    const before = {
      'endpoint /chat': { calls: 5_000, tokens: 0.25 * WEEK_TOKENS },
      'endpoint /mail': { calls: 15_000, tokens: 0.75 * WEEK_TOKENS },
      'user u7': { calls: 60, tokens: 0.003 * WEEK_TOKENS },
    };
    const now = { n: 200, value: 0.61, sd: null, about: 'endpoint /chat', parts };
    const week = { ...weekOf(0.1), value: 0.75, about: 'endpoint /mail', parts: before };
    expect(verdict(week, now).detail).toMatch(/^user u7, at /);
  });

  test('of-a-newcomer-has-no-rate-to-compare-with', () => {
    const { 'user u1': _unknown, ...others } = weekOf(0.4).parts ?? {};
    const found = verdict({ ...weekOf(0.4), parts: others });
    expect(found).toMatchObject({ state: 'firing', detail: 'user u1, not seen in the baseline' });
    expect(found.pastBound).toBe(true);
  });

  test('bounds-lie-below-what-they-bound', () => {
    const part = fc.record({
      calls: fc.integer({ min: 1, max: 500 }),
      tokens: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(part, part, part, (u1, u2, earlier) => {
        const all = { 'user u1': u1, 'user u2': u2 };
        const share = u1.tokens / (u1.tokens + u2.tokens);
        const now = { ...window, n: u1.calls + u2.calls, value: share, parts: all };
        const before = { 'user u1': earlier, 'user u2': { calls: 400, tokens: 200_000 } };
        const earlierShare = earlier.tokens / (earlier.tokens + 200_000);
        const sizes = { n: earlier.calls + 400, value: earlierShare, about: 'user u1' };
        const found = suspectsOf({ window: now, baseline: { ...weekOf(0.5), ...sizes, parts: before } });
        for (const one of found) {
          expect(one.shareLower).toBeLessThanOrEqual(one.share);
          expect(one.shareLower).toBeGreaterThanOrEqual(0);
          expect(one.multipleLower).toBeLessThanOrEqual(one.multiple);
        }
        expect(found[0]?.share).toBeCloseTo(share, 9);
      }),
    );
  });

  test('bounds-hold-95-times-in-100-for-random-arrivals', () => {
    const random = randomFrom(5);
    const exponential = () => -Math.log(1 - random());
    const draw = (mean: number) => {
      let [calls, tokens, at] = [0, 0, exponential()];
      for (; at < mean; at += exponential()) {
        calls += 1;
        tokens += 500 * exponential();
      }
      return { calls, tokens };
    };
    const tries = 2_000;
    let [shareMissed, multipleMissed] = [0, 0];
    for (let i = 0; i < tries; i += 1) {
      const [u1, rest, earlier, others] = [draw(60), draw(60), draw(300), draw(300)];
      const share = u1.tokens / (u1.tokens + rest.tokens);
      const now = { ...window, n: u1.calls + rest.calls, value: share, parts: { 'user u1': u1 } };
      const before = { 'user u1': earlier, 'user u2': others };
      const value = earlier.tokens / (earlier.tokens + others.tokens);
      const sizes = { n: earlier.calls + others.calls, value, about: 'user u1' };
      const [one] = suspectsOf({ window: now, baseline: { ...weekOf(0.5), ...sizes, parts: before } });
      if ((one?.shareLower ?? 1) > 0.5) shareMissed += 1;
      if ((one?.multipleLower ?? 2) > 1) multipleMissed += 1;
    }
    for (const missed of [shareMissed, multipleMissed]) {
      expect(missed / tries).toBeGreaterThan(0.03);
      expect(missed / tries).toBeLessThan(0.07);
    }
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
