import { describe, expect, test } from 'vitest';
import { parseLogs, parseTraces } from './otlp.ts';

const TRACE = '5b8efff798038103d269b633813fc60c';
const SPAN = 'eee19b7ec3c1b174';
const END_NANOS = '1767225600123456789';

type Plain = string | number | boolean | Plain[] | { [key: string]: Plain };

function any(value: Plain): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(any) } };
  return { kvlistValue: { values: attributes(value) } };
}

function attributes(values: { [key: string]: Plain }): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: any(value) }));
}

function span(values: { [key: string]: Plain }, more: object = {}): object {
  return {
    traceId: TRACE,
    spanId: SPAN,
    endTimeUnixNano: END_NANOS,
    attributes: attributes(values),
    ...more,
  };
}

const CHAT = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4' };

function traces(
  spans: unknown[],
  resource: { [key: string]: Plain } = { 'service.name': 'support-bot' },
): object {
  return { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans }] }] };
}

function onlyCall(body: object) {
  const { calls, rejected } = parseTraces(body);
  expect(rejected).toEqual([]);
  expect(calls).toHaveLength(1);
  return calls[0];
}

describe('spans', () => {
  test('every-field-of-a-call-is-read', () => {
    const values = {
      ...CHAT,
      'gen_ai.response.model': 'gpt-4-0613',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 1000,
      'gen_ai.request.stop_sequences': ['a', 'b'],
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 3,
      'gen_ai.prompt.name': 'support',
      'llm_incident.prompt.version': 13,
      'llm_incident.prompt.sha256': 'ab12',
      'llm_incident.cost_usd': 0.0025,
      'llm_incident.endpoint': '/chat',
      'user.id': 'u1',
      'session.id': 's1',
    };
    const start = { startTimeUnixNano: '1767225599123456789' };
    const resource = { 'service.name': 'support-bot', 'deployment.environment.name': 'staging' };
    expect(onlyCall(traces([span(values, start)], resource))).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      service: 'support-bot',
      environment: 'staging',
      at: new Date('2026-01-01T00:00:00.123Z'),
      requestModel: 'gpt-4',
      responseModel: 'gpt-4-0613',
      parameters: { temperature: 0.5, max_tokens: 1000, stop_sequences: '["a","b"]' },
      promptName: 'support',
      promptVersion: '13',
      promptSha256: 'ab12',
      userId: 'u1',
      sessionId: 's1',
      endpoint: '/chat',
      inputTokens: 12,
      outputTokens: 3,
      outputChars: null,
      costUsd: 0.0025,
      latencyMs: 1000,
      error: null,
      input: null,
      output: null,
    });
  });

  test('int64-may-be-a-number-and-older-token-names-count', () => {
    const body = traces([
      {
        ...span(CHAT),
        endTimeUnixNano: 1767225600123000000,
        attributes: [
          ...attributes(CHAT),
          { key: 'gen_ai.usage.prompt_tokens', value: { intValue: 7 } },
          { key: 'gen_ai.usage.completion_tokens', value: { intValue: '8' } },
        ],
      },
    ]);
    const call = onlyCall(body);
    expect(call).toMatchObject({ inputTokens: 7, outputTokens: 8, environment: 'production' });
    expect(call?.at.toISOString()).toBe('2026-01-01T00:00:00.123Z');
  });

  test.each([
    [
      'structured',
      [
        { role: 'user', parts: [{ type: 'text', content: 'first' }] },
        { role: 'assistant', parts: [] },
      ],
    ],
    [
      'json',
      JSON.stringify([
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'first' },
      ]),
    ],
    ['content-list', JSON.stringify([{ role: 'user', content: [{ type: 'text', text: 'first' }] }])],
    ['plain-text', 'first'],
  ] as [string, Plain][])('the-input-is-the-last-user-message-%s', (_name, messages) => {
    expect(onlyCall(traces([span({ ...CHAT, 'gen_ai.input.messages': messages })]))?.input).toBe('first');
  });

  test('output-joins-text-parts-and-leaves-tool-calls-and-reasoning-out', () => {
    const parts = [
      { type: 'reasoning', content: 'hm' },
      { type: 'text', content: 'Yes.' },
      { type: 'tool_call', name: 'f', id: '1' },
      { type: 'text', content: 'No.' },
    ];
    const call = onlyCall(
      traces([span({ ...CHAT, 'gen_ai.output.messages': [{ role: 'assistant', parts }] })]),
    );
    expect(call).toMatchObject({ output: 'Yes.\nNo.', outputChars: 8 });
    const toolOnly = [{ role: 'assistant', parts: [{ type: 'tool_call', name: 'f' }] }];
    const other = onlyCall(traces([span({ ...CHAT, 'gen_ai.output.messages': toolOnly })]));
    expect(other).toMatchObject({ output: null, outputChars: null });
  });

  test('older-places-of-the-text-are-read', () => {
    const numbered = {
      ...CHAT,
      'gen_ai.prompt.0.role': 'system',
      'gen_ai.prompt.0.content': 'be kind',
      'gen_ai.prompt.1.role': 'user',
      'gen_ai.prompt.1.content': 'hello',
      'gen_ai.completion.0.content': 'hi',
    };
    expect(onlyCall(traces([span(numbered)]))).toMatchObject({ input: 'hello', output: 'hi' });
    const events = [
      { name: 'gen_ai.content.prompt', attributes: attributes({ 'gen_ai.prompt': 'hello' }) },
      { name: 'gen_ai.content.completion', attributes: attributes({ 'gen_ai.completion': '{"total": 3}' }) },
    ];
    expect(onlyCall(traces([span(CHAT, { events })]))).toMatchObject({
      input: 'hello',
      output: '{"total": 3}',
    });
    const perMessage = [
      { name: 'gen_ai.user.message', attributes: attributes({ content: 'hello' }) },
      { name: 'gen_ai.choice', attributes: attributes({ message: { role: 'assistant', content: 'hi' } }) },
      { name: 'gen_ai.choice', attributes: attributes({ content: 'there' }) },
    ];
    expect(onlyCall(traces([span(CHAT, { events: perMessage })]))).toMatchObject({ input: 'hello' });
  });

  test('a-failed-call-names-its-error', () => {
    expect(onlyCall(traces([span({ ...CHAT, 'error.type': '429' }, { status: { code: 2 } })]))?.error).toBe(
      '429',
    );
    const status = { code: 'STATUS_CODE_ERROR', message: 'timed out' };
    expect(onlyCall(traces([span(CHAT, { status })]))?.error).toBe('timed out');
    expect(onlyCall(traces([span(CHAT, { status: { code: 2 } })]))?.error).toBe('error');
    expect(onlyCall(traces([span(CHAT, { status: { code: 1 } })]))?.error).toBeNull();
  });

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

  test('text-that-postgres-cannot-store-is-cleaned', () => {
    const call = onlyCall(
      traces([span({ ...CHAT, 'user.id': 'a\u0000b', 'gen_ai.prompt.name': 'x\ud800y' })]),
    );
    expect(call).toMatchObject({ userId: 'ab', promptName: 'x\ufffdy' });
  });
});

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
