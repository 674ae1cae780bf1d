import fc from 'fast-check';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import type { Reading } from './metric-source.ts';
import { answerOf, intervalsWithout, mergedReading, NOTHING, planOf } from './own-query.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 5, 10, minute));
const between = (from: number, to: number) => ({ from: at(from), to: at(to) });
const rule = { rule: 'quality.score' };

describe('the rows of an own query', () => {
  test('one-row-is-a-reading-also-when-its-numbers-are-texts', () => {
    expect(answerOf([{ value: '0.82', n: '1200', sd: 0.1, max: 1, about: 'eu', other: {} }], rule)).toEqual({
      kind: 'reading',
      reading: { value: 0.82, n: 1200, sd: 0.1, max: 1, about: 'eu' },
    });
    expect(answerOf([{ value: 3, n: 4n, lower: '1e-2', upper: null }], rule)).toEqual({
      kind: 'reading',
      reading: { value: 3, n: 4, sd: null, lower: 0.01 },
    });
  });

  test.each([
    ['no row', []],
    ['a null value', [{ value: null, n: 5 }]],
    ['NaN', [{ value: Number.NaN, n: 5 }]],
    ['NaN as a text', [{ value: 'NaN', n: '5' }]],
    ['infinity', [{ value: '-Infinity', n: 5 }]],
    ['no samples', [{ value: 0, n: 0 }]],
    ['an unknown n', [{ value: 1, n: null }]],
  ])('%s-is-no-data', (_, rows) => {
    expect(answerOf(rows, rule)).toEqual({ kind: 'reading', reading: NOTHING });
  });

  test.each([
    [
      'several rows',
      [
        { value: 1, n: 1 },
        { value: 1, n: 1 },
      ],
      'it answered 2 rows; make it one row',
    ],
    ['a missing column', [{ value: 1, count: 1 }], 'its answer has no column "n"; name it with "as"'],
    ['two missing columns', [{ avg: 1 }], 'no column "value" and no "n"'],
    ['a text', [{ value: 'good', n: 1 }], 'column "value" is not a number: cast it'],
    ['a negative n', [{ value: 1, n: -1 }], 'column "n" is not a number: cast it (must not be negative)'],
  ])('%s-is-a-problem-that-names-the-query-and-the-cure', (_, rows, problem) => {
    const answer = answerOf(rows, rule);
    expect(answer).toMatchObject({ kind: 'problem', problem: expect.stringContaining(problem) });
    expect(answer).toMatchObject({ problem: expect.stringContaining('queries["quality.score"]: ') });
  });
});

describe('the intervals of a baseline', () => {
  test('what-is-left-out-cuts-the-window', () => {
    const excluding = [between(40, 70), between(10, 20), between(15, 25), between(-5, 0), between(22, 23)];
    expect(intervalsWithout(between(0, 60), excluding)).toEqual([between(0, 10), between(25, 40)]);
    expect(intervalsWithout(between(0, 60), [])).toEqual([between(0, 60)]);
    expect(intervalsWithout(between(0, 60), [between(-1, 61)])).toEqual([]);
  });

  test('a-query-runs-once-per-interval-for-the-name-that-the-store-knows', () => {
    const question = { service: 'bot', environment: 'production', ...rule, measure: 'score' as const };
    const services = { bot: { selector: 'bot-eu', queries: { 'quality.score': 'select 1' } } };
    const asked = { ...question, ...between(0, 30), excluding: [between(10, 20)], isBaseline: true };
    const common = { service: 'bot-eu', environment: 'production', newest: 2_147_483_647 };
    expect(planOf(asked, services)).toEqual({
      text: 'select 1',
      runs: [
        { ...common, ...between(0, 10) },
        { ...common, ...between(20, 30) },
      ],
    });
    expect(planOf({ ...asked, rule: 'quality.format' }, services)).toBeNull();
    expect(planOf({ ...asked, service: 'other' }, services)).toBeNull();
  });
});

describe('merging readings', () => {
  const readingOf = (samples: readonly number[]): Reading => ({
    n: samples.length,
    value: samples.length === 0 ? null : mean([...samples]),
    sd: samples.length < 2 ? null : sampleStandardDeviation([...samples]),
  });

  test('parts-merge-to-what-all-their-samples-together-say', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(samples, { maxLength: 5 }), (parts) => {
        const merged = mergedReading(parts.map(readingOf));
        const whole = readingOf(parts.flat());
        expect(merged.n).toBe(whole.n);
        if (whole.value === null) expect(merged.value).toBeNull();
        else expect(merged.value).toBeCloseTo(whole.value, 9);
        if (whole.sd === null) expect(merged.sd).toBeNull();
        else expect(merged.sd).toBeCloseTo(whole.sd, 6);
      }),
    );
  });

  test('an-unknown-spread-of-one-part-makes-the-whole-unknown', () => {
    const known = { n: 10, value: 0.5, sd: 0.1, max: 3 };
    expect(mergedReading([known, { n: 30, value: 0.9, sd: null, max: 4 }])).toEqual({
      n: 40,
      value: 0.8,
      sd: null,
      max: 4,
    });
    expect(mergedReading([NOTHING, known])).toEqual(known);
    expect(mergedReading([])).toEqual(NOTHING);
  });
});
