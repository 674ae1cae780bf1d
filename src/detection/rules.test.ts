import { describe, expect, test } from 'vitest';
import { qualityFormatVerdict } from './quality-format.ts';
import { qualityScoreVerdict } from './quality-score.ts';
import { recovered } from './recovery.ts';
import { categoryOf, type RuleVerdict, severityOf } from './rule.ts';
import { nextSignal, type Signal, stillPastBound } from './signal.ts';

const BASELINE = { n: 5_000, mean: 0.8, sd: 0.2 };

describe('quality score', () => {
  const verdict = (mean: number, n = 400, baseline = BASELINE) =>
    qualityScoreVerdict({ window: { n, mean, sd: 0.2 }, baseline });

  test('15-percent-below-exactly-is-ok-and-below-that-fires', () => {
    expect(verdict(0.68)).toMatchObject({
      state: 'ok',
      threshold: 0.68,
      baseline: 0.8,
      baselineN: 5_000,
      n: 400,
    });
    expect(verdict(0.679)).toMatchObject({ state: 'firing', pastBound: false });
    expect(severityOf(verdict(0.679))).toBe('sev2');
  });

  test('a-bound-past-the-threshold-is-severity-1', () => {
    const far = verdict(0.6);
    expect(far).toMatchObject({ state: 'firing', pastBound: true, value: 0.6 });
    expect(far.upper).toBeLessThan(0.68);
    expect(severityOf(far)).toBe('sev1');
  });

  test('an-uncertain-baseline-holds-the-bound-back', () => {
    const window = { n: 10_000, mean: 0.66, sd: 0.2 };
    expect(qualityScoreVerdict({ window, baseline: BASELINE }).pastBound).toBe(true);
    expect(qualityScoreVerdict({ window, baseline: { n: 200, mean: 0.8, sd: 0.4 } }).pastBound).toBe(false);
  });

  test('too-few-samples-are-insufficient-and-none-is-no-data', () => {
    expect(verdict(0.1, 99).state).toBe('insufficient');
    expect(verdict(0.1, 100).state).toBe('firing');
    expect(verdict(0.1, 400, { n: 199, mean: 0.8, sd: 0.2 }).state).toBe('insufficient');
    expect(verdict(0.1, 400, { n: 200, mean: 0.8, sd: 0.2 }).state).toBe('firing');
    const none = { n: 0, mean: null, sd: null };
    expect(qualityScoreVerdict({ window: none, baseline: BASELINE })).toMatchObject({
      state: 'no-data',
      value: null,
    });
    expect(qualityScoreVerdict({ window: BASELINE, baseline: none })).toMatchObject({
      state: 'insufficient',
      threshold: null,
    });
  });
});

describe('quality format', () => {
  test('counts-as-the-playbook-says', () => {
    expect(qualityFormatVerdict({ n: 1_000, passed: 950 })).toMatchObject({ state: 'ok', value: 0.95 });
    // LLMDrift, GPT-4 of June 2023: .947 of 1,000 is below 95 %, and its bound is not.
    expect(qualityFormatVerdict({ n: 1_000, passed: 947 })).toMatchObject({
      state: 'firing',
      pastBound: false,
    });
    expect(qualityFormatVerdict({ n: 1_000, passed: 835 })).toMatchObject({
      state: 'firing',
      pastBound: true,
    });
    expect(qualityFormatVerdict({ n: 999, passed: 0 }).state).toBe('insufficient');
    expect(qualityFormatVerdict({ n: 0, passed: 0 })).toMatchObject({
      state: 'no-data',
      value: null,
      upper: null,
    });
  });
});

test('safety-is-always-severity-1', () => {
  expect(severityOf({ rule: 'safety.pii', pastBound: false })).toBe('sev1');
  expect(categoryOf('cost.spend')).toBe('cost');
});

const now = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const saying = (state: RuleVerdict['state'], pastBound = false): RuleVerdict => ({
  ...qualityFormatVerdict({ n: 0, passed: 0 }),
  state,
  pastBound,
});

describe('signal', () => {
  const run = (verdicts: RuleVerdict[]) => {
    let signal: Signal | null = null;
    return verdicts.map((verdict, minute) => {
      const next = nextSignal(signal, verdict, now(minute));
      signal = next;
      return next;
    });
  };

  test('an-episode-opens-once-and-clears-once', () => {
    const states = run(
      ['ok', 'firing', 'firing', 'ok', 'ok'].map((state) => saying(state as RuleVerdict['state'])),
    );
    expect(states.map((state) => state.opened)).toEqual([false, true, false, false, false]);
    expect(states.map((state) => state.cleared)).toEqual([false, false, false, true, false]);
    expect(states[2]?.since).toEqual(now(1));
  });

  test('missing-data-never-clears-a-firing-signal-nor-opens-it-twice', () => {
    const states = run([
      saying('firing', true),
      saying('no-data'),
      saying('insufficient'),
      saying('firing', true),
    ]);
    expect(states.map((state) => state.state)).toEqual(['firing', 'firing', 'firing', 'firing']);
    expect(states.filter((state) => state.opened)).toHaveLength(1);
    expect(states.at(-1)?.pastBoundSince).toEqual(now(0));
  });

  test('the-time-past-the-bound-starts-over-when-it-is-not-past', () => {
    const states = run([saying('firing'), saying('firing', true), saying('firing'), saying('firing', true)]);
    expect(states.map((state) => state.pastBoundSince)).toEqual([null, now(1), null, now(3)]);
  });

  test('still-past-the-bound-counts-from-the-first-time', () => {
    const signal = { state: 'firing' as const, since: now(0), pastBoundSince: now(2) };
    expect(stillPastBound(signal, now(11), 600_000)).toBe(false);
    expect(stillPastBound(signal, now(12), 600_000)).toBe(true);
    expect(stillPastBound({ ...signal, pastBoundSince: null }, now(59), 600_000)).toBe(false);
  });

  test('a-service-without-data-says-so', () => {
    expect(nextSignal(null, saying('no-data'), now(0))).toMatchObject({ state: 'no-data', opened: false });
    const back = nextSignal({ state: 'no-data', since: now(0), pastBoundSince: null }, saying('ok'), now(1));
    expect(back).toMatchObject({ state: 'ok', since: now(1), cleared: false });
  });
});

describe('recovery', () => {
  const score = (n: number, mean: number) =>
    recovered({ rule: 'quality.score', baselineMean: 0.8, window: { n, mean, sd: 0.2 } });
  const format = (n: number, passed: number) => recovered({ rule: 'quality.format', n, passed });

  test('quality-is-proven-by-100-scores-at-85-percent-of-the-baseline', () => {
    expect(score(37, 0.9)).toMatchObject({ state: 'proving', n: 37, needed: 100, value: 0.9 });
    expect(score(100, 0.68).state).toBe('recovered');
    expect(score(100, 0.67).state).toBe('failing');
    expect(
      recovered({ rule: 'quality.score', baselineMean: 0.8, window: { n: 0, mean: null, sd: null } }),
    ).toEqual({
      state: 'proving',
      n: 0,
      needed: 100,
      value: null,
      lower: null,
      upper: null,
    });
  });

  test('format-is-proven-by-200-verdicts-and-doubt-asks-for-more', () => {
    expect(format(0, 0).state).toBe('proving');
    expect(format(199, 199)).toMatchObject({ state: 'proving', needed: 200 });
    expect(format(200, 190)).toMatchObject({ state: 'recovered', value: 0.95 });
    expect(format(200, 189)).toMatchObject({ state: 'proving', needed: 1_000 });
    expect(format(200, 160)).toMatchObject({ state: 'failing' });
    expect(format(1_000, 949)).toMatchObject({ state: 'failing' });
  });
});
