import { describe, expect, test } from 'vitest';
import type { Measure, MetricSource } from './metric-source.ts';
import { OWN_SOURCES, questionsBySource, sourceFor, sourceNameProblems } from './source-for.ts';

const services = { bot: { source: 'shop' }, plain: {} };
const named = (name: string): MetricSource => ({ name, read: async () => [] });
const sourcesOf = (...names: string[]) => new Map(names.map((name) => [name, named(name)]));

describe('which source answers', () => {
  test.each<[string, Measure, string]>([
    ['bot', 'score', 'shop'],
    ['bot', 'spend', 'shop'],
    ['bot', 'health', 'health'],
    ['bot', 'provider', 'provider'],
    ['bot', 'canaries', 'canaries'],
    ['bot', 'safety', 'safety'],
    ['plain', 'errors', 'calls'],
    ['plain', 'health', 'health'],
    ['never listed', 'score', 'calls'],
  ])('%s-%s-comes-from-%s', (service, measure, source) => {
    expect(sourceFor({ service, measure }, services)).toBe(source);
  });

  test('questions-are-grouped-by-source-and-keep-their-places', () => {
    const asked = (
      [
        ['bot', 'score'],
        ['plain', 'score'],
        ['bot', 'health'],
        ['bot', 'errors'],
      ] as const
    ).map(([service, measure]) => ({ service, measure }));
    const sources = sourcesOf('shop', ...Object.values(OWN_SOURCES));
    const grouped = [...questionsBySource(asked, { sources, services })].map(([source, questions]) => [
      source.name,
      questions.map(({ index, question }) => [index, question === asked[index]]),
    ]);
    expect(grouped).toEqual([
      [
        'shop',
        [
          [0, true],
          [3, true],
        ],
      ],
      ['calls', [[1, true]]],
      ['health', [[2, true]]],
    ]);
  });

  test('a-source-that-does-not-exist-is-named-with-those-that-do', () => {
    const asked = [{ service: 'bot', measure: 'score' as const }];
    expect(() => questionsBySource(asked, { sources: sourcesOf('calls', 'health'), services })).toThrow(
      'services.bot.source: there is no source "shop"; there are calls, health',
    );
  });
});

test('wrong-names-are-problems-of-the-configuration', () => {
  expect(sourceNameProblems({ ...services, other: { source: 'calls' } }, { health: {}, events: {} })).toEqual(
    [
      'sources.health: this name is taken by a source that is always there; choose another',
      'services.bot.source: there is no source "shop"; there are health, events',
    ],
  );
  expect(sourceNameProblems(services, { shop: {} })).toEqual([]);
});
