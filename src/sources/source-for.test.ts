import { describe, expect, test } from 'vitest';
import type { Measure } from './metric-source.ts';
import { sourceFor, sourceNameProblems } from './source-for.ts';

const services = { bot: { source: 'shop' }, plain: {} };

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
