import { describe, expect, test } from 'vitest';
import { attributes, END_NANOS, type Plain, SPAN, TRACE } from './example-otlp.ts';
import { parseLogs } from './otlp.ts';

function logs(values: { [key: string]: Plain }, more: object = {}): object {
  const record = {
    timeUnixNano: END_NANOS,
    eventName: 'gen_ai.evaluation.result',
    traceId: TRACE,
    spanId: SPAN,
    attributes: attributes(values),
    ...more,
  };
  const resource = { attributes: attributes({ 'service.name': 'judge' }) };
  return { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'rubric-2' }, logRecords: [record] }] }] };
}

const QUALITY = { 'gen_ai.evaluation.name': 'quality', 'gen_ai.evaluation.score.value': 0.75 };

describe('evaluations', () => {
  test('every-field-of-an-evaluation-is-read', () => {
    const values = {
      ...QUALITY,
      'gen_ai.evaluation.score.label': 'good',
      'gen_ai.evaluation.explanation': 'fits',
    };
    expect(parseLogs(logs(values))).toEqual({
      evaluations: [
        {
          traceId: TRACE,
          spanId: SPAN,
          service: 'judge',
          environment: 'production',
          at: new Date('2026-01-01T00:00:00.123Z'),
          name: 'quality',
          value: 0.75,
          label: 'good',
          explanation: 'fits',
          evaluator: 'rubric-2',
        },
      ],
      rejected: [],
    });
  });

  test.each([
    [
      {
        eventName: undefined,
        attributes: attributes({ ...QUALITY, 'event.name': 'gen_ai.evaluation.result' }),
      },
    ],
    [{ eventName: undefined, body: { stringValue: 'gen_ai.evaluation.result' } }],
    [{ timeUnixNano: '0', observedTimeUnixNano: END_NANOS }],
  ])('other-spellings-of-the-event-are-known-%j', (more) => {
    expect(parseLogs(logs(QUALITY, more)).evaluations).toHaveLength(1);
  });

  test('ids-may-be-missing-and-other-logs-are-ignored', () => {
    const [one] = parseLogs(logs(QUALITY, { traceId: '', spanId: undefined })).evaluations;
    expect(one).toMatchObject({ traceId: null, spanId: null });
    expect(parseLogs(logs(QUALITY, { eventName: 'other' }))).toEqual({ evaluations: [], rejected: [] });
  });

  test('a-boolean-is-a-format-verdict', () => {
    const values = { 'gen_ai.evaluation.name': 'format', 'gen_ai.evaluation.score.value': true };
    expect(parseLogs(logs(values)).evaluations[0]?.value).toBe(1);
  });

  test.each([
    ['quality', 1.2, 'quality must be a number from 0 to 1, got 1.2'],
    ['quality', 'high', 'quality must be a number from 0 to 1, got "high"'],
    ['format', 0.5, 'format must be 0 or 1, got 0.5'],
    ['tone', 'high', 'tone must be a number, got "high"'],
  ])('a-score-out-of-range-is-rejected-%s-%s', (name, value, problem) => {
    const { evaluations, rejected } = parseLogs(
      logs({ 'gen_ai.evaluation.name': name, 'gen_ai.evaluation.score.value': value }),
    );
    expect(evaluations).toEqual([]);
    const path = 'resourceLogs[0].scopeLogs[0].logRecords[0].attributes["gen_ai.evaluation.score.value"]';
    expect(rejected).toEqual([{ path, problem, count: 1 }]);
  });

  test('a-label-needs-no-score-but-quality-does', () => {
    const label = { 'gen_ai.evaluation.name': 'safety', 'gen_ai.evaluation.score.label': 'violence' };
    expect(parseLogs(logs(label)).evaluations[0]).toMatchObject({ value: null, label: 'violence' });
    const unscored = parseLogs(logs({ 'gen_ai.evaluation.name': 'quality' }));
    expect(unscored.rejected[0]?.problem).toBe('quality must be a number from 0 to 1, got nothing');
  });
});
