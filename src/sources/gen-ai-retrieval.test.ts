import { expect, test } from 'vitest';
import { retrievalOf } from './gen-ai-retrieval.ts';

const of = (value: unknown) =>
  retrievalOf(new Map([['llm_incident.retrieval.score', value as never]]), 'span');

test('a-list-of-scores-and-one-score-are-read', () => {
  expect(of([0.2, 0.8, 0.5])).toEqual({ chunks: 3, least: 0.2, mean: 0.5, best: 0.8 });
  expect(of(-3)).toEqual({ chunks: 1, least: -3, mean: -3, best: -3 });
  expect(of([])).toBeNull();
  expect(retrievalOf(new Map(), 'span')).toBeNull();
});

test.each(['0.5', [0.5, 'high'], [Number.NaN], true])('what-is-no-number-is-named: %j', (value) => {
  expect(() => of(value)).toThrow('must be a number or a list of numbers');
});
