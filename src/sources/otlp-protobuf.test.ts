import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributes, CHAT, type Plain, SPAN, span, TRACE, traces } from './example-otlp.ts';
import { parseLogs, parseTraces } from './otlp.ts';
import { encodeMessage, MOST_MESSAGES } from './otlp-messages.ts';
import { decodeRequest, encodeError, encodeResponse, type OtlpSignal } from './otlp-protobuf.ts';

/** One span and one log record as OpenTelemetry's JavaScript exporter 0.301 writes them. */
const EXPORTED = {
  traces:
    'CvkDCksKHQoMc2VydmljZS5uYW1lEg0KC3N1cHBvcnQtYm90CigKG2RlcGxveW1lbnQuZW52aXJvbm1lbnQubmFtZRIJCgdzdGFnaW5nEAAS' +
    'qQMKEAoHZXhhbXBsZRIFMS4wLjASlAMKEFuO//eYA4ED0mm2M4E/xgwSCO7hm37DwbF0IgiqoZt+w8GxdSoKY2hhdCBncHQtNDADOUAiaOZR' +
    'coYYQRXNVfVRcoYYSh8KFWdlbl9haS5vcGVyYXRpb24ubmFtZRIGCgRjaGF0Sh8KFGdlbl9haS5yZXF1ZXN0Lm1vZGVsEgcKBWdwdC00SicK' +
    'Gmdlbl9haS5yZXF1ZXN0LnRlbXBlcmF0dXJlEgkhAAAAAAAA4D9KHwoZZ2VuX2FpLnVzYWdlLmlucHV0X3Rva2VucxICGAxKIwobbGxtX2lu' +
    'Y2lkZW50LnByb21wdC52ZXJzaW9uEgQKAjEzSi0KHWdlbl9haS5yZXF1ZXN0LnN0b3Bfc2VxdWVuY2VzEgwqCgoDCgFhCgMKAWJKIgoVbGxt' +
    'X2luY2lkZW50LmNvc3RfdXNkEgkhAAAAAAAA0D9KFAoHdXNlci5pZBIJCgfDvHNlci0xUABaFwnA81jvUXKGGBIBZRoHCgF4EgIYASAAYABw' +
    'AHoNEgl0aW1lZCBvdXQYAoUBAQEAAA==',
  logs:
    'CrcCCksKHQoMc2VydmljZS5uYW1lEg0KC3N1cHBvcnQtYm90CigKG2RlcGxveW1lbnQuZW52aXJvbm1lbnQubmFtZRIJCgdzdGFnaW5nEAAS' +
    '5wEKBwoFanVkZ2US2wEJwNRO9VFyhhgQCRoESU5GTyoICgZzY29yZWQyIwoWZ2VuX2FpLmV2YWx1YXRpb24ubmFtZRIJCgdxdWFsaXR5MioK' +
    'HWdlbl9haS5ldmFsdWF0aW9uLnNjb3JlLnZhbHVlEgkhAAAAAAAA6D8yJwodZ2VuX2FpLmV2YWx1YXRpb24uZXhwbGFuYXRpb24SBgoEZmlu' +
    'ZTgARQEAAABKEFuO//eYA4ED0mm2M4E/xgxSCO7hm37DwbF0WcXUTvVRcoYYYhhnZW5fYWkuZXZhbHVhdGlvbi5yZXN1bHQ=',
};

const bytesOf = (signal: OtlpSignal) => Buffer.from(EXPORTED[signal], 'base64');

function decoded(signal: OtlpSignal, bytes: Uint8Array): unknown {
  const request = decodeRequest(signal, bytes);
  if (request.kind === 'unreadable') throw new Error(request.problem);
  return request.value;
}

const base64OfHex = (hex: string) => Buffer.from(hex, 'hex').toString('base64');

/** The JSON request as its sender would have written it in protobuf. */
function asProtobuf(request: object): Uint8Array {
  const withBytes = JSON.parse(JSON.stringify(request), (key, value) =>
    key === 'traceId' || key === 'spanId' ? base64OfHex(value) : value,
  );
  return encodeMessage('ExportTraceServiceRequest', withBytes);
}

const plain: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.integer(),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

const name = fc.constantFrom(
  'gen_ai.request.model',
  'gen_ai.request.top_k',
  'gen_ai.usage.input_tokens',
  'llm_incident.cost_usd',
  'gen_ai.output.messages',
  'user.id',
  'error.type',
);

describe('OTLP protobuf', () => {
  test('what-an-exporter-wrote-is-read', () => {
    const { calls, rejected } = parseTraces(decoded('traces', bytesOf('traces')));
    expect(rejected).toEqual([]);
    expect(calls).toEqual([
      expect.objectContaining({
        traceId: TRACE,
        spanId: SPAN,
        service: 'support-bot',
        environment: 'staging',
        at: new Date(1767225600123),
        latencyMs: 250.456789,
        requestModel: 'gpt-4',
        parameters: { temperature: 0.5, stop_sequences: '["a","b"]' },
        promptVersion: '13',
        inputTokens: 12,
        costUsd: 0.25,
        userId: 'üser-1',
        error: 'timed out',
      }),
    ]);
    expect(parseLogs(decoded('logs', bytesOf('logs')))).toEqual({
      rejected: [],
      evaluations: [
        {
          traceId: TRACE,
          spanId: SPAN,
          service: 'support-bot',
          environment: 'staging',
          at: new Date(1767225600123),
          name: 'quality',
          value: 0.75,
          label: null,
          explanation: 'fine',
          evaluator: 'judge',
        },
      ],
    });
  });

  test('json-and-protobuf-of-one-request-give-the-same-calls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(name, plain, { noNullPrototype: true }), { maxLength: 5 }),
        fc.constantFrom(
          {},
          { endTimeUnixNano: '18446744073709551615' },
          { spanId: 'abcd' },
          { status: { code: 2 } },
        ),
        (spans, more) => {
          const request = traces(spans.map((values) => span({ ...CHAT, ...values }, more)));
          const fromJson = parseTraces(JSON.parse(JSON.stringify(request)));
          expect(parseTraces(decoded('traces', asProtobuf(request)))).toEqual(fromJson);
        },
      ),
    );
  });

  test('an-empty-request-is-a-request', () => {
    expect(parseTraces(decoded('traces', new Uint8Array()))).toEqual({ calls: [], rejected: [] });
    expect(parseLogs(decoded('logs', new Uint8Array()))).toEqual({ evaluations: [], rejected: [] });
  });

  test('a-malformed-span-is-named-and-the-good-ones-kept', () => {
    const unset = span(CHAT, { endTimeUnixNano: undefined, spanId: 'ab' });
    const { calls, rejected } = parseTraces(decoded('traces', asProtobuf(traces([span(CHAT), unset]))));
    expect(calls).toHaveLength(1);
    expect(rejected).toEqual([
      {
        path: 'resourceSpans[0].scopeSpans[0].spans[1].spanId',
        problem: 'must be 16 hex digits and not all zero, got "ab"',
        count: 1,
      },
    ]);
  });

  test('bytes-that-are-no-request-are-refused-whatever-they-are', () => {
    const good = bytesOf('traces');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.nat({ max: good.length }).map((length) => new Uint8Array(good.subarray(0, length))),
          fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
            const broken = new Uint8Array(good);
            broken[at] = byte;
            return broken;
          }),
        ),
        (bytes) => {
          for (const signal of ['traces', 'logs'] as const) {
            const request = decodeRequest(signal, bytes);
            if (request.kind === 'unreadable')
              expect(request.problem).toMatch(/^body: not valid OTLP protobuf \(.+\)$/);
            else (signal === 'traces' ? parseTraces : parseLogs)(request.value);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('what-is-nested-without-end-is-refused', () => {
    let value: object = { stringValue: 'x' };
    for (let depth = 0; depth < 40; depth += 1) value = { arrayValue: { values: [value] } };
    const deep = asProtobuf(traces([{ attributes: [{ key: 'a', value }] }]));
    expect(parseTraces(decoded('traces', deep)).rejected).toEqual([]);
    const groups = Buffer.alloc(1_000_000, 0x0b);
    expect(decodeRequest('traces', groups)).toEqual({
      kind: 'unreadable',
      problem: 'body: not valid OTLP protobuf (max depth exceeded)',
    });
  });

  test('millions-of-empty-messages-are-refused-before-memory-ends', () => {
    const empty = Buffer.alloc(2 * (MOST_MESSAGES + 1)).fill(Buffer.from([0x0a, 0x00]));
    expect(decodeRequest('logs', empty)).toEqual({
      kind: 'unreadable',
      problem: `body: not valid OTLP protobuf (holds more than ${MOST_MESSAGES} messages; send smaller batches)`,
    });
    expect(decodeRequest('logs', bytesOf('logs')).kind).toBe('request');
  });

  test('answers-are-written-by-the-numbers-of-the-protocol', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    expect(hex(encodeResponse('traces', {}))).toBe('');
    const why = Buffer.from('why').toString('hex');
    const lost = (counter: string) => ({ partialSuccess: { [counter]: '300', errorMessage: 'why' } });
    expect(hex(encodeResponse('traces', lost('rejectedSpans')))).toBe(`0a0808ac021203${why}`);
    expect(hex(encodeResponse('logs', lost('rejectedLogRecords')))).toBe(`0a0808ac021203${why}`);
    expect(hex(encodeError('why'))).toBe(`1203${why}`);
  });

  test('an-attribute-sent-twice-and-a-field-unknown-here-are-no-problem', () => {
    const twice = traces([span(CHAT, { attributes: [...attributes(CHAT), ...attributes(CHAT)] })]);
    const unknown = Buffer.from([0xfa, 0x3e, 0x01, 0x00]);
    const bytes = Buffer.concat([asProtobuf(twice), unknown]);
    expect(parseTraces(decoded('traces', bytes)).calls).toHaveLength(1);
  });
});
