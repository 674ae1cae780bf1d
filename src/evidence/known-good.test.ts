import { describe, expect, test } from 'vitest';
import { at } from './example-calls.ts';
import { greenStates, lastKnownGood, type ServingInterval } from './known-good.ts';

describe('known good', () => {
  const ONSET = at(100_000);
  const interval = (
    version: string,
    seconds: [number, number],
    seen: Partial<ServingInterval> = {},
  ): ServingInterval => ({
    state: { 'prompt:support': { version, sha256: null } },
    from: at(seconds[0]),
    to: at(seconds[1]),
    firedAt: null,
    scored: { n: 500, mean: 0.84 },
    format: { n: 500, passed: 495 },
    ...seen,
  });
  const chosen = (...intervals: ServingInterval[]) =>
    lastKnownGood({ intervals, onset: ONSET, baselineMean: 0.84 })?.state['prompt:support']?.['version'];

  test('the-newest-green-state-before-the-onset-is-chosen', () => {
    const old = interval('11', [0, 40_000]);
    const good = interval('12', [40_000, 99_990]);
    const bad = interval('13', [99_990, 100_000], { scored: { n: 5, mean: 0.84 } });
    expect(chosen(old, good, bad)).toBe('12');
    expect(chosen(bad, good, old)).toBe('12');
  });

  test.each([
    ['served-for-less-than-half-an-hour-before-the-onset', { from: at(98_500), to: at(110_000) }],
    ['too-few-scores', { scored: { n: 99, mean: 0.84 } }],
    ['no-data', { scored: { n: 0, mean: null } }],
    ['low-score', { scored: { n: 500, mean: 0.7 } }],
    ['bad-format', { format: { n: 500, passed: 474 } }],
    ['no-format-verdicts-where-others-have-them', { format: { n: 0, passed: 0 } }],
    ['after-the-onset', { from: ONSET, to: at(200_000) }],
  ] as [string, Partial<ServingInterval>][])('a-state-is-not-green-%s', (_name, seen) => {
    expect(chosen(interval('11', [0, 40_000]), interval('12', [40_000, 100_000], seen))).toBe('11');
  });

  test('the-time-since-a-rule-last-fired-is-what-counts', () => {
    const old = interval('11', [0, 40_000]);
    const fired = (second: number) => interval('12', [40_000, 100_000], { firedAt: at(second) });
    expect(chosen(old, fired(60_000))).toBe('12');
    expect(chosen(old, fired(98_199))).toBe('12');
    expect(chosen(old, fired(98_201))).toBe('11');
    expect(
      greenStates({ intervals: [old, fired(60_000)], onset: ONSET, baselineMean: 0.84 }).map(
        ({ from }) => from,
      ),
    ).toEqual([at(40_000), at(0)]);
  });

  test('rules-without-any-data-do-not-count-against-a-service', () => {
    const format = { n: 0, passed: 0 };
    expect(chosen(interval('12', [0, 100_000], { format }))).toBe('12');
    const unscored = interval('12', [0, 100_000], { scored: { n: 0, mean: null } });
    expect(lastKnownGood({ intervals: [unscored], onset: ONSET, baselineMean: null })).toBe(unscored);
    const blind = { ...unscored, format };
    expect(lastKnownGood({ intervals: [blind], onset: ONSET, baselineMean: null })).toBeNull();
    expect(lastKnownGood({ intervals: [], onset: ONSET, baselineMean: 0.84 })).toBeNull();
  });
});
