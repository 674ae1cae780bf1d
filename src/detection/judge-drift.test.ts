import { describe, expect, test } from 'vitest';
import type { JudgeScores, Reading } from '../sources/metric-source.ts';
import { comparable, comparableReadings, judgeChange, judgeChangeText } from './judge-drift.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 2, 1, hour));
const scores = (n: number, mean: number, since: Date | null = null): JudgeScores => ({
  n,
  mean,
  sd: 0.1,
  since,
});
const reading = (n: number, value: number, judges?: Record<string, JudgeScores>): Reading => ({
  n,
  value,
  sd: 0.2,
  ...(judges === undefined ? {} : { judges }),
});

describe('which judge', () => {
  test('the one with most scores on both sides is the same judge', () => {
    const window = reading(120, 0.8, { a: scores(100, 0.8), b: scores(20, 0.5) });
    const baseline = reading(900, 0.8, { b: scores(100, 0.5), a: scores(800, 0.8) });
    expect(judgeChange({ window, baseline })).toEqual({ kind: 'same' });
  });

  test('another majority is a change, since its first score of either side', () => {
    const window = reading(120, 0.6, { a: scores(20, 0.8), b: scores(100, 0.5, at(5)) });
    const baseline = reading(900, 0.8, { a: scores(890, 0.8, at(0)), b: scores(10, 0.5, at(4)) });
    const change = judgeChange({ window, baseline });
    expect(change).toEqual({ kind: 'changed', from: 'a', to: 'b', since: at(4) });
    expect(judgeChangeText(change)).toBe(
      'the judge changed from a to b at 2026-03-01T04:00Z; scores before and after are not comparable',
    );
  });

  test('a source that does not know its judges says nothing', () => {
    const known = reading(100, 0.5, { b: scores(100, 0.5) });
    expect(judgeChange({ window: reading(100, 0.5), baseline: known })).toEqual({ kind: 'same' });
    expect(judgeChange({ window: known, baseline: reading(100, 0.5) })).toEqual({ kind: 'same' });
    expect(judgeChange({ window: null, baseline: known })).toEqual({ kind: 'same' });
    expect(judgeChangeText({ kind: 'same' })).toBeNull();
  });
});

describe('what is comparable', () => {
  test('both sides keep the scores of the window’s majority judge', () => {
    const window = reading(120, 0.75, { a: scores(100, 0.8), b: scores(20, 0.5) });
    const baseline = reading(900, 0.7, { a: scores(600, 0.82), b: scores(300, 0.5) });
    expect(comparable({ window, baseline })).toEqual({
      window: { n: 100, mean: 0.8, sd: 0.1 },
      baseline: { n: 600, mean: 0.82, sd: 0.1 },
    });
  });

  test('a baseline that the judge never scored is empty', () => {
    const window = reading(120, 0.5, { b: scores(120, 0.5) });
    const baseline = reading(900, 0.8, { a: scores(900, 0.8) });
    expect(comparable({ window, baseline }).baseline).toEqual({ n: 0, mean: null, sd: null });
  });

  test('single outcomes and bounds of mixed judges do not survive', () => {
    const window: Reading = {
      ...reading(3, 0.5, { b: scores(2, 0.5), a: scores(1, 1) }),
      outcomes: [1, 0.5, 0.5],
      lower: 0.2,
    };
    const kept = comparableReadings({ window, baseline: null });
    expect(kept.window).not.toHaveProperty('outcomes');
    expect(kept.window).not.toHaveProperty('lower');
    expect(kept.baseline).toBeNull();
  });

  test('a side that one judge scored alone stays whole, with its single outcomes', () => {
    const window: Reading = { ...reading(2, 0.5, { b: scores(2, 0.5) }), outcomes: [0.4, 0.6] };
    expect(comparableReadings({ window, baseline: null }).window).toBe(window);
  });

  test('without known judges both sides stay as they are', () => {
    const both = { window: reading(100, 0.5), baseline: reading(900, 0.8) };
    expect(comparableReadings(both)).toEqual(both);
    expect(comparable(both).window).toEqual({ n: 100, mean: 0.5, sd: 0.2 });
  });
});
