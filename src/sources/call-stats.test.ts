import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallFacts } from './call-facts.ts';
import { mergeStats, statsFromJson, statsOf, statsToJson } from './call-stats.ts';
import { centroidsOf, mergeCentroids, sizeOf, valueAtRank } from './centroids.ts';
import { facts } from './example-facts.ts';
import { readingOf } from './stats-reading.ts';

const T0 = Date.parse('2026-03-01T12:00:00Z');
const HOUR = { from: new Date(T0), to: new Date(T0 + 3_600_000) };

/** Any call within so many minutes from `startMs` on. */
function someFacts(startMs: number, minutes: number): fc.Arbitrary<CallFacts> {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
  return fc
    .record({
      isSpan: fc.boolean(),
      failed: fc.boolean(),
      latencyMs: maybe(fc.integer({ min: 1, max: 9_000 })),
      inputTokens: maybe(fc.nat(5_000)),
      outputTokens: maybe(fc.nat(500)),
      outputChars: maybe(fc.nat(2_000)),
      costUsd: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
      userId: maybe(fc.constantFrom('ann', 'bob', 'cid')),
      endpoint: maybe(fc.constantFrom('/a', '/b')),
      quality: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
      judge: maybe(fc.constantFrom('strict', 'mild')),
      formatOk: maybe(fc.boolean()),
      refused: maybe(fc.boolean()),
      hedged: maybe(fc.boolean()),
      words: maybe(fc.array(fc.nat(9), { minLength: 64, maxLength: 64 })),
      offsetMs: fc.nat(minutes * 60_000 - 1),
    })
    .map(({ offsetMs, ...changes }) => facts(startMs + offsetMs, changes));
}

describe('statistics of calls', () => {
  test('merging-the-statistics-of-parts-counts-as-much-as-counting-at-once', () => {
    fc.assert(
      fc.property(
        fc.array(someFacts(T0, 60), { maxLength: 80 }),
        fc.integer({ min: 1, max: 5 }),
        (calls, n) => {
          const whole = statsOf(calls);
          const parts = [
            ...Map.groupBy(calls, (call) => Math.floor((call.at.getTime() - T0) / (n * 60_000))).values(),
          ];
          const merged = mergeStats(
            parts.map((part) => statsFromJson(JSON.parse(JSON.stringify(statsToJson(statsOf(part)))))),
          );
          for (const key of [
            'calls',
            'errors',
            'formatted',
            'passed',
            'refused',
            'inspected',
            'firstMs',
            'maxTokens',
            'worded',
          ] as const) {
            expect(merged[key]).toEqual(whole[key]);
          }
          for (const key of ['score', 'tokens', 'cost', 'perMinute'] as const) {
            whole[key].forEach((value, i) => {
              expect(merged[key][i]).toBeCloseTo(value, 6);
            });
          }
          expect(merged.parts).toEqual(whole.parts);
          expect(merged.words).toEqual(whole.words);
          expect(Object.keys(merged.judges).sort()).toEqual(Object.keys(whole.judges).sort());
          // Up to 100 different values are kept as they are.
          expect(merged.latency).toEqual(whole.latency);
        },
      ),
    );
  });

  test('tokens-of-a-call-that-tells-only-one-side-are-that-side', () => {
    const calls = [
      facts(T0, { inputTokens: 7, outputTokens: null }),
      facts(T0, { inputTokens: 1, outputTokens: 2 }),
    ];
    expect(readingOf(statsOf(calls), { measure: 'tokens', ...HOUR })).toMatchObject({ n: 2, value: 5 });
    expect(readingOf(statsOf(calls), { measure: 'largest', ...HOUR })).toMatchObject({ max: 7, value: 7 });
  });

  test('a-call-that-only-an-evaluation-announced-counts-with-its-score-alone', () => {
    const stats = statsOf([facts(T0, { isSpan: false, quality: 0.4, failed: true })]);
    expect(readingOf(stats, { measure: 'score', ...HOUR })).toMatchObject({ n: 1, value: 0.4, sd: null });
    expect(readingOf(stats, { measure: 'errors', ...HOUR })).toMatchObject({ n: 0, value: null });
    expect(stats.parts).toEqual({});
  });

  test('spend-is-what-the-window-cost-at-the-same-rate-for-an-hour', () => {
    const stats = statsOf([facts(T0, { costUsd: 2 }), facts(T0, { costUsd: 3 })]);
    const window = { from: new Date(T0), to: new Date(T0 + 300_000) };
    expect(readingOf(stats, { measure: 'spend', ...window })).toMatchObject({ n: 2, value: 60 });
  });

  test('the-offender-is-the-busiest-user-or-endpoint-with-its-share-of-all-tokens', () => {
    const calls = [
      facts(T0, { userId: 'ann', endpoint: null, inputTokens: 70, outputTokens: 5 }),
      facts(T0, { userId: 'bob', endpoint: null, inputTokens: 25, outputTokens: null }),
    ];
    expect(readingOf(statsOf(calls), { measure: 'offender', ...HOUR })).toMatchObject({
      value: 0.75,
      about: 'user ann',
      parts: { 'user ann': { calls: 1, tokens: 75 }, 'user bob': { calls: 1, tokens: 25 } },
    });
  });

  test('the-users-beyond-the-busiest-hundred-are-kept-together', () => {
    const calls = Array.from({ length: 130 }, (_, i) =>
      facts(T0, { userId: `u${i}`, endpoint: null, inputTokens: i, outputTokens: null }),
    );
    const { parts } = statsOf(calls);
    expect(Object.keys(parts)).toHaveLength(101);
    expect(parts['other users']).toEqual({ calls: 30, tokens: (29 * 30) / 2 });
    expect(readingOf(statsOf(calls), { measure: 'offender', ...HOUR }).parts).not.toHaveProperty(
      'other users',
    );
  });

  test('scores-are-told-apart-by-judge', () => {
    const by = (judge: string, quality: number, seconds: number) =>
      facts(T0 + seconds * 1_000, { judge, quality });
    const stats = mergeStats([
      statsOf([by('old', 0.9, 1), by('old', 0.7, 2)]),
      statsOf([by('new', 0.5, 60), by('old', 0.8, 61)]),
    ]);
    const { judges } = readingOf(stats, { measure: 'score', ...HOUR });
    expect(judges?.['old']?.mean).toBeCloseTo(0.8, 12);
    expect(judges?.['old']).toMatchObject({ n: 3, since: new Date(T0 + 1_000) });
    expect(judges?.['new']).toEqual({ n: 1, mean: 0.5, sd: null, since: new Date(T0 + 60_000) });
  });

  test('the-covered-time-begins-with-the-first-call-and-leaves-out-what-is-left-out', () => {
    const stats = statsOf([facts(T0 + 600_000)]);
    const excluding = [{ from: new Date(T0 + 1_200_000), to: new Date(T0 + 1_800_000) }];
    expect(readingOf(stats, { measure: 'errors', ...HOUR }).coveredMs).toBe(3_000_000);
    expect(readingOf(stats, { measure: 'errors', ...HOUR, excluding }).coveredMs).toBe(2_400_000);
  });

  test('calls-that-come-at-random-have-a-dispersion-near-one-and-bursts-a-larger-one', () => {
    const even = Array.from({ length: 60 }, (_, minute) => facts(T0 + minute * 60_000));
    expect(readingOf(statsOf(even), { measure: 'errors', ...HOUR }).dispersion).toBe(0);
    const burst: CallFacts[] = [facts(T0), ...Array.from({ length: 59 }, () => facts(T0 + 1_800_000))];
    expect(readingOf(statsOf(burst), { measure: 'errors', ...HOUR }).dispersion).toBeGreaterThan(50);
  });

  test('the-median-of-answers-that-are-short-or-long-is-one-of-them', () => {
    const lengths = [...Array.from({ length: 60 }, () => 3), ...Array.from({ length: 40 }, () => 181)];
    const stats = statsOf(lengths.map((outputChars) => facts(T0, { outputChars })));
    expect(readingOf(stats, { measure: 'length', ...HOUR })).toMatchObject({ n: 100, value: 3, lower: 3 });
  });
});

describe('digests', () => {
  const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 3_000,
  });

  test('every-quantile-of-a-merged-digest-is-within-two-percent-of-its-rank', () => {
    fc.assert(
      fc.property(
        fc.array(numbers, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (lists, p) => {
          const sorted = lists.flat().sort((a, b) => a - b);
          const digest = mergeCentroids(lists.map(centroidsOf));
          expect(sizeOf(digest)).toBe(sorted.length);
          expect(digest.length).toBeLessThanOrEqual(100);
          const value = valueAtRank(digest, Math.ceil(p * sorted.length));
          const slack = Math.ceil(0.02 * sorted.length) + 1;
          const at = Math.ceil(p * sorted.length) - 1;
          expect(value).toBeGreaterThanOrEqual(sorted[Math.max(0, at - slack)] as number);
          expect(value).toBeLessThanOrEqual(sorted[Math.min(sorted.length - 1, at + slack)] as number);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the-same-values-always-give-the-same-digest', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        expect(centroidsOf(values.toReversed())).toEqual(centroidsOf(values));
      }),
      { numRuns: 30 },
    );
  });
});
