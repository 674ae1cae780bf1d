import { describe, expect, test } from 'vitest';
import { attributes, CHAT, type Plain, SPAN, span, TRACE, traces } from './example-otlp.ts';
import { parseTraces } from './otlp.ts';

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
      retrieval: null,
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

  test('text-that-postgres-cannot-store-is-cleaned', () => {
    const call = onlyCall(
      traces([span({ ...CHAT, 'user.id': 'a\u0000b', 'gen_ai.prompt.name': 'x\ud800y' })]),
    );
    expect(call).toMatchObject({ userId: 'ab', promptName: 'x\ufffdy' });
  });
});
