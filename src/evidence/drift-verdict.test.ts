import { describe, expect, test } from 'vitest';
import { driftVerdict } from './drift-verdict.ts';

const DECLARED = new Date(Date.UTC(2026, 4, 1, 12));
const evaluation = (minutesBefore: number, about: object = {}) => ({
  rule: 'quality.score' as const,
  at: new Date(DECLARED.getTime() - minutesBefore * 60_000),
  state: 'ok' as const,
  value: 0.86,
  threshold: 0.73,
  warning: false,
  ...about,
});

describe('whether it could have been seen', () => {
  test('a-rule-that-fired-long-before-is-visible-and-missed-with-its-first-time', () => {
    const fired = [40, 30, 20].map((minutes) => evaluation(minutes, { state: 'firing', value: 0.7012 }));
    expect(driftVerdict([evaluation(50), ...fired], DECLARED)).toEqual({
      verdict: 'visible and missed',
      because: [
        'quality.score was past its threshold 40 minutes before the declaration (0.701, threshold 0.73).',
      ],
    });
  });

  test('an-early-warning-counts-and-is-called-one', () => {
    const { verdict, because } = driftVerdict([evaluation(25, { state: 'firing', warning: true })], DECLARED);
    expect(verdict).toBe('visible and missed');
    expect(because[0]).toContain('quality.score (early warning)');
  });

  test('what-rang-within-five-minutes-is-how-it-was-noticed', () => {
    const { verdict, because } = driftVerdict([evaluation(60), evaluation(4, { state: 'firing' })], DECLARED);
    expect(verdict).toBe('not visible');
    expect(because[0]).toContain('1 rule had enough data');
  });

  test('rules-without-data-are-named-and-alone-they-tell-nothing', () => {
    const blind = evaluation(30, { state: 'insufficient', rule: 'quality.format' });
    expect(driftVerdict([blind], DECLARED)).toMatchObject({ verdict: 'not known' });
    const { verdict, because } = driftVerdict([blind, evaluation(30)], DECLARED);
    expect(verdict).toBe('not visible');
    expect(because.at(-1)).toBe('Had no data or too few samples: quality.format.');
    expect(driftVerdict([], DECLARED).verdict).toBe('not known');
  });
});
