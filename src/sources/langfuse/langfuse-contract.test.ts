import { describe, expect, test } from 'vitest';
import {
  langfuseVersions,
  metricsQueryValidator,
  scoresParameterNames,
} from '../../../test/harness/langfuse-contract.ts';
import type { Measure, Question } from '../metric-source.ts';
import { meanQueryOf, needOf, outcomesNeedOf, queryOf } from './metrics-query.ts';
import { scoresParameters } from './score-outcomes.ts';

const NOW = new Date('2026-01-05T10:00:00Z');
const MEASURES: Measure[] = ['errors', 'latency', 'tokens', 'cost', 'spend', 'score'];

const questionOf = (measure: Measure, isBaseline: boolean): Question => ({
  service: 'bot',
  environment: 'production',
  rule: 'quality.score',
  measure,
  from: new Date(NOW.getTime() - (isBaseline ? 7 * 24 * 60 : 30) * 60_000),
  to: NOW,
  isBaseline,
  excluding: isBaseline
    ? [{ from: new Date('2026-01-02T10:00:00Z'), to: new Date('2026-01-02T11:00:00Z') }]
    : [],
});

const queries = [undefined, 'tag:bot', '*'].flatMap((selector) =>
  MEASURES.flatMap((measure) =>
    [false, true].flatMap((isBaseline) => {
      const fetches = needOf(questionOf(measure, isBaseline), NOW)?.fetches ?? [];
      return fetches.flatMap((fetch) => {
        const { kind } = fetch;
        return kind === 'outcomes' ? [] : [queryOf({ ...fetch, kind }, { selector, score: 'quality' })];
      });
    }),
  ),
);
const scores = queries.filter(({ view }) => view === 'scores-numeric');

describe.each(langfuseVersions())('the published contract of Langfuse %s', (version) => {
  const validate = metricsQueryValidator(version);

  test('every-query-that-is-sent-is-one-that-it-accepts', () => {
    for (const query of [...queries, ...scores.map(meanQueryOf)]) {
      expect(validate(query), JSON.stringify({ query, errors: validate.errors })).toBe(true);
    }
    expect(queries.length).toBeGreaterThanOrEqual(3 * 2 * MEASURES.length);
  });

  test('it-refuses-what-it-does-not-have', () => {
    const [query] = queries;
    expect(validate({ ...query, view: 'traces' })).toBe(false);
    expect(validate({ ...query, metrics: [{ measure: 'speed', aggregation: 'p99' }] })).toBe(false);
    expect(validate({ ...query, dimensions: [{ field: 'userId' }] })).toBe(false);
    expect(validate({ ...query, config: { row_limit: 5000 } })).toBe(false);
  });
});

test('single-scores-are-asked-with-the-parameters-of-the-contract', () => {
  const question: Question = { ...questionOf('score', false), wantsOutcomes: true };
  const [fetch] = outcomesNeedOf(question, NOW)?.fetches ?? [];
  const sent = fetch && scoresParameters(fetch, { score: 'quality', cursor: 'abc' });
  const versions = langfuseVersions().filter((version) => scoresParameterNames(version).length > 0);
  expect(versions).toContain('4.35.0');
  for (const version of versions) {
    expect(scoresParameterNames(version)).toEqual(
      expect.arrayContaining(Object.keys(sent ?? { nothing: 1 })),
    );
  }
});

test('there-are-contracts-to-check-against', () => {
  expect(langfuseVersions()).toContain('4.35.0');
});
