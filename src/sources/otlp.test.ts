import { describe, expect, test } from 'vitest';
import { attributes, CHAT, END_NANOS, span, traces } from './example-otlp.ts';
import { parseLogs, parseTraces } from './otlp.ts';

describe('spans', () => {
  test('spans-that-are-no-model-call-are-ignored-not-rejected', () => {
    const others = [
      span({ 'http.method': 'GET' }, { spanId: 'nonsense' }),
      span({ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'f' }),
      span({ 'gen_ai.operation.name': 'invoke_agent' }),
    ];
    expect(parseTraces(traces(others))).toEqual({ calls: [], rejected: [] });
    expect(parseTraces({})).toEqual({ calls: [], rejected: [] });
  });

  test.each([
    [{ endTimeUnixNano: 'abc' }, 'endTimeUnixNano', 'must be nanoseconds since 1970, got "abc"'],
    [{ endTimeUnixNano: '0' }, 'endTimeUnixNano', 'must be nanoseconds since 1970, got "0"'],
    [{ traceId: 'xyz' }, 'traceId', 'must be 32 hex digits and not all zero, got "xyz"'],
    [
      { spanId: '0000000000000000' },
      'spanId',
      'must be 16 hex digits and not all zero, got "0000000000000000"',
    ],
    [
      { attributes: attributes({ ...CHAT, 'gen_ai.usage.input_tokens': -1 }) },
      'attributes["gen_ai.usage.input_tokens"]',
      'must be a whole number from 0 up, got -1',
    ],
    [
      { attributes: [...attributes(CHAT), { key: 'llm_incident.cost_usd', value: { doubleValue: 'NaN' } }] },
      'attributes["llm_incident.cost_usd"]',
      'must be a number from 0 up, got NaN',
    ],
    [{ attributes: 3 }, 'attributes', 'must be an array, got 3'],
  ])('a-malformed-span-is-named-and-the-good-ones-kept-%j', (broken, field, problem) => {
    const { calls, rejected } = parseTraces(traces([span(CHAT), { ...span(CHAT), ...broken }, span(CHAT)]));
    expect(calls).toHaveLength(2);
    expect(rejected).toEqual([
      { path: `resourceSpans[0].scopeSpans[0].spans[1].${field}`, problem, count: 1 },
    ]);
  });

  test('a-resource-without-a-service-loses-its-spans-and-says-the-cure', () => {
    const good = traces([span(CHAT)]) as { resourceSpans: object[] };
    const nameless = traces([span(CHAT), span(CHAT)], {}) as { resourceSpans: object[] };
    const { calls, rejected } = parseTraces({
      resourceSpans: [...nameless.resourceSpans, ...good.resourceSpans],
    });
    expect(calls).toHaveLength(1);
    expect(rejected).toEqual([
      {
        path: 'resourceSpans[0].resource.attributes',
        problem: 'service.name is missing: set OTEL_SERVICE_NAME or the resource attribute',
        count: 2,
      },
    ]);
  });

  test.each([
    null,
    3,
    'x',
    [],
    { resourceSpans: 3 },
    { resourceSpans: [null] },
    { resourceSpans: [{ scopeSpans: 1 }] },
  ])('a-body-of-another-shape-is-a-rejection-never-an-error-%j', (body) => {
    const { calls, rejected } = parseTraces(body);
    expect(calls).toEqual([]);
    expect(rejected).toHaveLength(1);
  });
});

describe('times', () => {
  const END_MS = 1767225600123;
  const DAY_MS = 24 * 3_600_000;
  const taken = (nowMs: number) => parseTraces(traces([span(CHAT)]), { now: new Date(nowMs), keptDays: 30 });

  test.each([
    ['now', END_MS],
    ['a-day-ahead', END_MS - DAY_MS],
    ['as-old-as-calls-are-kept', END_MS + 30 * DAY_MS],
  ])('a-call-is-taken-%s', (_what, nowMs) => {
    expect(taken(nowMs)).toMatchObject({ calls: [{ at: new Date(END_MS) }], rejected: [] });
  });

  test.each([
    [
      END_MS - DAY_MS - 1,
      "must not be more than 24 hours in the future, got 2026-01-01T00:00:00.123Z: set the sender's clock",
    ],
    [
      END_MS + 30 * DAY_MS + 1,
      'is 2026-01-01T00:00:00.123Z, and calls are kept for 30 days only (retention.calls_days)',
    ],
  ])('a-call-outside-of-what-can-be-kept-is-named-at-%d', (nowMs, problem) => {
    const path = 'resourceSpans[0].scopeSpans[0].spans[0].endTimeUnixNano';
    expect(taken(nowMs)).toEqual({ calls: [], rejected: [{ path, problem, count: 1 }] });
  });

  test('an-evaluation-has-the-same-bounds', () => {
    const record = {
      eventName: 'gen_ai.evaluation.result',
      timeUnixNano: END_NANOS,
      attributes: attributes({
        'gen_ai.evaluation.name': 'format',
        'gen_ai.evaluation.score.value': 1,
      }),
    };
    const resource = { attributes: attributes({ 'service.name': 'support-bot' }) };
    const body = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] };
    const at = (nowMs: number) => parseLogs(body, { now: new Date(nowMs), keptDays: 30 });
    expect(at(END_MS).evaluations).toHaveLength(1);
    expect(at(END_MS + 31 * DAY_MS).rejected[0]?.path).toBe(
      'resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano',
    );
  });
});
