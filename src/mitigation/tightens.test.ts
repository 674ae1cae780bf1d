import { expect, it } from 'vitest';
import { everybodyOf, tightens } from './tightens.ts';

const state = {
  enabled: true,
  fallback: 'notice',
  'limit:user u-1': 5,
  'limit:each user': 30,
  'token-cap': 400,
  model: 'm1',
};

it.each([
  ['enabled', false],
  ['type:refunds', false],
  ['blocked:secret', true],
  ['fallback', 'queue'],
  ['limit:user u-1', 4],
  ['limit:user u-2', 30],
  ['limit:endpoint /v1', 100],
  ['limit:each session', 10],
  ['token-cap', 100],
])('%s → %s takes something from users', (setting, to) => {
  expect(tightens({ setting, to }, state)).toBe(true);
});

it.each([
  ['enabled', true],
  ['type:refunds', true],
  ['blocked:secret', false],
  ['fallback', 'none'],
  ['fallback', 'simple'],
  ['fallback', 'cached'],
  ['limit:user u-1', 6],
  ['limit:user u-1', null],
  ['limit:user u-2', 31],
  ['limit:each user', 100_000],
  ['token-cap', 100_000],
  ['token-cap', null],
  ['model', 'm2'],
  ['prompt:answer', 'v15'],
  ['split:m2', 100],
  ['disclaimer', '.'],
])('%s → %s gives something back or changes what is served', (setting, to) => {
  expect(tightens({ setting, to }, state)).toBe(false);
});

it('measures a limit by name by the one for everybody', () => {
  expect(
    ['limit:user u-1', 'limit:session s', 'limit:endpoint /', 'limit:each user'].map(everybodyOf),
  ).toEqual(['limit:each user', 'limit:each session', null, null]);
});
