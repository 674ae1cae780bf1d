import { describe, expect, test } from 'vitest';
import type { Centroids, Reading } from '../../sources/metric-source.ts';
import { qualityDrift } from './quality-drift.ts';
import { qualityHallucination } from './quality-hallucination.ts';
import { qualityLength } from './quality-length.ts';
import { qualityRefusal } from './quality-refusal.ts';
import { safetyPii } from './safety-pii.ts';

const share = (passed: number, n: number): Reading => ({ n, value: passed / n, sd: null });

describe.each([qualityRefusal, qualityHallucination])('$id', (rule) => {
  const verdict = (window: Reading, baseline: Reading) => rule.judge({ window, baseline }, rule.defaults);

  test('fires-ten-points-above-its-baseline', () => {
    expect(verdict(share(15, 100), share(10, 200))).toMatchObject({
      state: 'firing',
      value: 0.15,
      baseline: 0.05,
      pastBound: false,
    });
    expect(verdict(share(14, 100), share(10, 200))).toMatchObject({ state: 'ok', isClear: false });
    expect(verdict(share(9, 100), share(10, 200)).isClear).toBe(true);
    expect(verdict(share(99, 99), share(10, 200)).state).toBe('insufficient');
    expect(verdict(share(99, 100), share(0, 199)).state).toBe('insufficient');
  });

  test('is-past-its-bound-when-the-difference-is', () => {
    expect(verdict(share(45, 200), share(50, 1_000))).toMatchObject({ pastBound: true, unmistakable: false });
    expect(verdict(share(150, 200), share(50, 1_000))).toMatchObject({ pastBound: true, unmistakable: true });
  });
});

describe('length', () => {
  const baseline: Reading = { n: 5_000, value: 400, sd: null, lower: 390, upper: 410 };
  const verdict = (window: Reading) => qualityLength.judge({ window, baseline }, qualityLength.defaults);

  test('below-half-of-the-baseline-fires', () => {
    expect(verdict({ n: 200, value: 200, sd: null, lower: 180, upper: 210 }).state).toBe('ok');
    expect(verdict({ n: 200, value: 199, sd: null, lower: 180, upper: 210 })).toMatchObject({
      state: 'firing',
      threshold: 200,
      pastBound: false,
    });
    expect(verdict({ n: 200, value: 90, sd: null, lower: 80, upper: 110 }).pastBound).toBe(true);
    expect(verdict({ n: 200, value: 240, sd: null })).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict({ n: 199, value: 1, sd: null }).state).toBe('insufficient');
  });
});

describe('drift', () => {
  const NOTHING = {
    ...{ window: null, baseline: null, input: null, inputBaseline: null, words: null, wordsBaseline: null },
    ...{ similarity: null, similarityBaseline: null, canaries: null },
  };
  const verdict = (readings: Partial<Record<keyof typeof NOTHING, Reading | null>>) =>
    qualityDrift.judge({ ...NOTHING, ...readings }, qualityDrift.defaults);
  const lengths = (n: number, of: (i: number) => number): Reading => {
    const values = Array.from({ length: n }, (_, i) => of((i + 0.5) / n)).sort((a, b) => a - b);
    const distribution: Centroids = values.map((value) => [value, 1] as const);
    return { n, value: values[n >> 1] ?? null, sd: null, distribution };
  };
  const usual = (i: number) => 200 + 400 * i;
  const lengthsBefore = lengths(5_000, usual);
  const words = (n: number, counts: readonly number[]): Reading => ({
    n,
    value: null,
    sd: null,
    words: counts,
  });

  test('of-lengths-fires-where-nobody-measures-similarity', () => {
    const longer = lengths(500, (i) => 350 + 400 * i);
    expect(verdict({ window: longer, baseline: lengthsBefore })).toMatchObject({
      state: 'firing',
      detail: 'lengths of the outputs',
      pastBound: false,
      unmistakable: false,
      n: 500,
      baselineN: 5_000,
    });
    const asked = { input: longer, inputBaseline: lengthsBefore };
    expect(verdict({ window: longer, baseline: lengthsBefore, ...asked }).detail).toBe(
      'lengths of the outputs; the inputs changed in length too',
    );
    expect(verdict(asked).state).toBe('no-data');
    const same = lengths(500, usual);
    expect(verdict({ window: same, baseline: lengthsBefore })).toMatchObject({ state: 'ok', isClear: true });
    const few = lengths(199, (i) => 350 + 400 * i);
    expect(verdict({ window: few, baseline: lengthsBefore }).state).toBe('insufficient');
  });

  test('of-words-is-called-a-stand-in', () => {
    const before = words(2_000, [40_000, 30_000, 20_000, 10_000, 1_000]);
    const now = words(500, [1_000, 2_000, 3_000, 9_000, 9_000]);
    expect(verdict({ words: now, wordsBaseline: before })).toMatchObject({
      state: 'firing',
      detail: 'lexical stand-in for semantic similarity',
    });
    const same = words(500, [10_000, 7_500, 5_000, 2_500, 250]);
    expect(verdict({ words: same, wordsBaseline: before }).state).toBe('ok');
  });

  test('of-measured-similarity-silences-the-stand-ins', () => {
    const shifted = { window: lengths(500, (i) => 900 + 400 * i), baseline: lengthsBefore };
    const similar = (value: number, n: number): Reading => ({ n, value, sd: 0.1 });
    const before = similar(0.8, 2_000);
    const steady = { ...shifted, similarity: similar(0.79, 300), similarityBaseline: before };
    expect(verdict(steady)).toMatchObject({ state: 'ok', isClear: true, value: 0.79 });
    expect(verdict({ ...steady, similarity: similar(0.6, 300) })).toMatchObject({
      state: 'firing',
      detail: 'semantic similarity',
      pastBound: false,
    });
    expect(verdict({ ...steady, similarity: similar(0.79, 10) })).toMatchObject({
      state: 'firing',
      detail: 'lengths of the outputs',
    });
  });

  test('of-half-of-the-canaries-fires-whatever-else-is-said', () => {
    const canaries = (value: number): Reading => ({ n: 4, value, sd: null, about: 'capital' });
    const steady = { window: lengths(500, usual), baseline: lengthsBefore };
    expect(verdict({ ...steady, canaries: canaries(0.5) })).toMatchObject({
      state: 'firing',
      value: 0.5,
      detail: 'canaries: capital',
    });
    expect(verdict({ ...steady, canaries: canaries(0.25) }).state).toBe('ok');
    expect(verdict({ canaries: { n: 1, value: 1, sd: null } }).state).toBe('firing');
    expect(verdict({ canaries: { n: 0, value: null, sd: null } }).state).toBe('no-data');
  });
});

describe('safety', () => {
  const verdict = (value: number | null) =>
    safetyPii.judge({ window: { n: 40, value, sd: null, about: 'email' } }, safetyPii.defaults);

  test('fires-on-any-one', () => {
    expect(verdict(1)).toMatchObject({
      state: 'firing',
      unmistakable: true,
      pastBound: true,
      detail: 'email',
    });
    expect(verdict(0)).toMatchObject({ state: 'ok', isClear: true, detail: null });
    expect(verdict(null).state).toBe('no-data');
    expect(safetyPii.defaults).toMatchObject({ open_polls: 1, auto_remediate: false });
  });
});
