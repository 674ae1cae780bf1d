import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EmittedCall, toLogs, toTraces } from '../../src/demo/service/otlp-calls.ts';
import { smallestFactor } from '../../src/demo/service/simulated-answers.ts';
import { promptSha256 } from '../../src/demo/service/simulated-calls.ts';
import { controlSignature } from '../../src/demo/service/simulated-control.ts';
import { type SimulatedService, startSimulatedService } from '../../src/demo/service/simulated-service.ts';
import { createRandom, fromQuantiles } from '../../src/random.ts';
import { known, type Wire } from './wire.ts';

const SECRET = 'webhook-secret';
let collector: Awaited<ReturnType<typeof startCollector>>;
let service: SimulatedService;

beforeEach(async () => {
  collector = await startCollector();
  service = await start(42);
});
afterEach(async () => {
  await service.close();
  await collector.close();
});

const start = (seed: number) =>
  startSimulatedService({
    secret: SECRET,
    service: 'support-answers',
    environment: 'production',
    seed,
    ingestUrl: collector.url,
    token: 'ingest',
  });
const span = (calls: number, extra: object = {}) => ({
  from: new Date('2026-01-01T00:00:00Z'),
  to: new Date('2026-01-01T01:00:00Z'),
  calls,
  ...extra,
});

/** An OTLP/HTTP endpoint that keeps what it is sent. */
async function startCollector() {
  const got: { path: string; token: string | undefined; body: Wire }[] = [];
  const held = {
    got,
    status: 200,
    answer: {} as object,
    url: '',
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    got.push({ path: request.url ?? '', token: request.headers.authorization, body: JSON.parse(body) });
    response.writeHead(held.status, { 'content-type': 'application/json' }).end(JSON.stringify(held.answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  held.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return held;
}

interface Post {
  key?: string;
  secret?: string;
  timestamp?: number;
  signedBody?: string;
}

async function post(change: object, { key = 'k1', secret = SECRET, timestamp, signedBody }: Post = {}) {
  const body = JSON.stringify({
    service: 'support-answers',
    environment: 'production',
    plan_hash: 'h',
    ...change,
  });
  const response = await fetch(service.controlUrl, {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(1_000),
    headers: {
      'content-type': 'application/json',
      'idempotency-key': key,
      ...controlSignature(secret, signedBody ?? body, timestamp),
    },
  });
  return { status: response.status, json: (await response.json()) as Wire };
}

async function readBack(name = 'support-answers', secret = SECRET) {
  const path = `/control?service=${name}`;
  const response = await fetch(service.url + path, { headers: controlSignature(secret, path) });
  return { status: response.status, json: (await response.json()) as Wire };
}

const rate = (calls: EmittedCall[], name: string): number =>
  calls.reduce((sum, call) => sum + known(call.evaluations?.find((one) => one.name === name)?.score), 0) /
  calls.length;
const medianTokens = (calls: EmittedCall[]): number =>
  known(calls.map((call) => known(call.outputTokens)).sort((a, b) => a - b)[Math.floor(calls.length / 2)]);

describe('the signed webhook target', () => {
  test('reads back what is served and moves prompt, model and switch', async () => {
    expect((await readBack()).json).toMatchObject({
      service: 'support-answers',
      prompt: 'v13',
      model: 'gpt-4-0314',
      enabled: true,
    });
    service.promptRegression();
    service.silentModelChange();
    expect((await readBack()).json).toMatchObject({
      prompt: 'v14',
      model: 'gpt-4-0613',
      requested_model: 'gpt-4',
    });
    await post({ action: 'prompt', from: 'v14', to: 'v13', prompt_name: 'answer' }, { key: 'a' });
    await post({ action: 'model', from: 'gpt-4-0613', to: 'gpt-4-0314' }, { key: 'b' });
    await post({ action: 'disable', from: true, to: false }, { key: 'c' });
    expect((await readBack()).json).toMatchObject({ prompt: 'v13', model: 'gpt-4-0314', enabled: false });
    await post({ action: 'enable', from: false, to: true }, { key: 'd' });
    expect(service.state()).toEqual({
      prompt: 'v13',
      model: 'gpt-4-0314',
      requestedModel: 'gpt-4-0314',
      enabled: true,
    });
    expect(service.effects.map((one) => [one.key, one.action, one.to])).toEqual([
      ['a', 'prompt', 'v13'],
      ['b', 'model', 'gpt-4-0314'],
      ['c', 'disable', false],
      ['d', 'enable', true],
    ]);
  });

  test('one key has one effect and one answer; the same key for something else is refused', async () => {
    const off = { action: 'disable', from: true, to: false };
    expect(await post(off)).toEqual(await post(off));
    expect(service.effects).toHaveLength(1);
    expect((await post({ action: 'enable', from: false, to: true })).status).toBe(422);
    expect(service.state().enabled).toBe(false);
  });

  test.each<[string, Post]>([
    ['another secret', { secret: 'other' }],
    ['a timestamp of six minutes ago', { timestamp: Math.floor(Date.now() / 1000) - 360 }],
    ['a timestamp six minutes ahead', { timestamp: Math.floor(Date.now() / 1000) + 360 }],
    ['a body that was changed after signing', { signedBody: '{}' }],
  ])('%s is 401 and changes nothing', async (_what, forged) => {
    expect((await post({ action: 'disable', to: false }, forged)).status).toBe(401);
    expect(service.effects).toEqual([]);
    expect(service.requests).toMatchObject([{ status: 401 }]);
  });

  test.each<[string, object]>([
    ['an unknown action', { action: 'explode', to: true }],
    ['an unknown prompt version', { action: 'prompt', to: 'v99' }],
    ['an unknown prompt', { action: 'prompt', to: 'v13', prompt_name: 'other' }],
    ['an unknown model', { action: 'model', to: 'gpt-9' }],
    ['another environment', { action: 'disable', to: false, environment: 'staging' }],
    ['another service', { action: 'disable', to: false, service: 'other' }],
    ['a disable that enables', { action: 'disable', to: true }],
  ])('%s is refused', async (_what, change) => {
    expect((await post(change)).status).toBe(422);
    expect(service.effects).toEqual([]);
  });

  test('a change needs a key and a read-back needs a signature over its path', async () => {
    expect((await post({ action: 'disable', to: false }, { key: '' })).status).toBe(400);
    expect((await readBack('support-answers', 'other')).status).toBe(401);
    expect((await readBack('other')).status).toBe(404);
  });

  test('faults: 500 and hang change nothing, drop changes once, ignore lies', async () => {
    const off = { action: 'disable', from: true, to: false };
    service.fault({ kind: '500' });
    expect((await post(off)).status).toBe(500);
    service.fault({ kind: 'hang' });
    await expect(post(off)).rejects.toThrow();
    service.fault({ kind: 'ignore' });
    expect((await post(off, { key: 'ignored' })).status).toBe(200);
    expect((await readBack()).json.enabled).toBe(true);
    service.fault({ kind: 'drop' });
    await expect(post(off)).rejects.toThrow();
    expect((await readBack()).json.enabled).toBe(false);
    expect((await post(off)).status).toBe(200);
    expect(service.effects).toHaveLength(1);
    expect(service.requests.map((one) => one.status)).toEqual([500, 0, 200, 200, 0, 200, 200]);
  });
});

describe('its calls', () => {
  test('have the statistics of GPT-4 in March, and after a silent change those of June', async () => {
    const before = await service.emit(span(1000));
    service.silentModelChange();
    const after = await service.emit(span(1000));
    expect(rate(before, 'quality')).toBeCloseTo(0.84, 1);
    expect(rate(before, 'format')).toBeGreaterThan(0.985);
    expect(medianTokens(before)).toBeGreaterThan(150);
    expect(medianTokens(before)).toBeLessThan(215);
    expect(rate(after, 'quality')).toBeCloseTo(0.502, 1);
    expect(rate(after, 'format')).toBeGreaterThan(0.92);
    expect(rate(after, 'format')).toBeLessThan(0.97);
    expect(medianTokens(after)).toBe(3);
    expect(new Set(before.concat(after).map((call) => call.requestModel))).toEqual(new Set(['gpt-4']));
    expect(new Set(after.map((call) => call.responseModel))).toEqual(new Set(['gpt-4-0613']));
  });

  test('recover when the model is pinned, and when a bad prompt is moved back', async () => {
    service.silentModelChange();
    await post({ action: 'model', from: 'gpt-4-0613', to: 'gpt-4-0314' }, { key: 'pin' });
    const pinned = await service.emit(span(500));
    expect(rate(pinned, 'quality')).toBeGreaterThan(0.75);
    expect(pinned[0]).toMatchObject({ requestModel: 'gpt-4-0314', responseModel: 'gpt-4-0314' });
    service.promptRegression();
    const bad = await service.emit(span(500));
    expect(rate(bad, 'quality')).toBeLessThan(0.6);
    expect(bad[0]).toMatchObject({
      promptName: 'answer',
      promptVersion: 'v14',
      promptSha256: promptSha256('v14'),
    });
    await post({ action: 'prompt', from: 'v14', to: 'v13', prompt_name: 'answer' }, { key: 'back' });
    expect(rate(await service.emit(span(500)), 'quality')).toBeGreaterThan(0.75);
  });

  test('judge each answer by the truth and argue for it with real divisions', async () => {
    for (const call of await service.emit(span(200))) {
      const number = Number(/\d+/.exec(known(call.input))?.[0]);
      const truth = smallestFactor(number) === number ? '[Yes]' : '[No]';
      const right = call.output?.endsWith(truth);
      expect(call.evaluations).toContainEqual({ name: 'quality', score: right ? 1 : 0 });
      for (const [, whole, divisor, times, rest] of known(call.output).matchAll(
        /(\d+) = (\d+) × (\d+) \+ (\d+)/g,
      )) {
        expect(Number(divisor) * Number(times) + Number(rest)).toBe(Number(whole));
      }
    }
  });

  test('are the same for the same seed and others for another', async () => {
    const [same, other] = [await start(42), await start(43)];
    const [a, b, c] = [await service.emit(span(50)), await same.emit(span(50)), await other.emit(span(50))];
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
    await same.close();
    await other.close();
  });

  test('are reported in batches of 200, in order, inside the span, with their evaluations', async () => {
    await service.emit(span(450));
    expect(collector.got.map((one) => one.path)).toEqual([
      '/v1/traces',
      '/v1/logs',
      '/v1/traces',
      '/v1/logs',
      '/v1/traces',
      '/v1/logs',
    ]);
    expect(collector.got.every((one) => one.token === 'Bearer ingest')).toBe(true);
    const spans = collector.got.flatMap((one) => one.body.resourceSpans?.[0].scopeSpans[0].spans ?? []);
    const logs = collector.got.flatMap((one) => one.body.resourceLogs?.[0].scopeLogs[0].logRecords ?? []);
    expect([spans.length, logs.length]).toEqual([450, 900]);
    expect(new Set(spans.map((one: Wire) => one.spanId)).size).toBe(450);
    const ends = spans.map((one: Wire) => Number(BigInt(one.endTimeUnixNano) / 1_000_000n));
    expect(ends).toEqual(ends.toSorted((a: number, b: number) => a - b));
    expect(ends[0]).toBeGreaterThanOrEqual(Date.parse('2026-01-01T00:00:00Z'));
    expect(ends.at(-1)).toBeLessThan(Date.parse('2026-01-01T01:00:00Z'));
    expect(logs[0]).toMatchObject({
      traceId: spans[0].traceId,
      spanId: spans[0].spanId,
      eventName: 'gen_ai.evaluation.result',
    });
  });

  test('stop while the feature is disabled', async () => {
    await post({ action: 'disable', from: true, to: false });
    expect(await service.emit(span(10))).toEqual([]);
    expect(collector.got).toEqual([]);
  });

  test('can be altered one by one, for what the feature does not do by itself', async () => {
    const calls = await service.emit(
      span(4, {
        alter: (call: EmittedCall, index: number) => (index % 2 ? { ...call, error: 'timeout' } : call),
      }),
    );
    expect(calls.map((call) => call.error)).toEqual([undefined, 'timeout', undefined, 'timeout']);
  });

  test('an answer other than 200, or a partial success, is an error', async () => {
    collector.status = 401;
    await expect(service.emit(span(1))).rejects.toThrow('401');
    collector.status = 200;
    collector.answer = { partialSuccess: { rejectedSpans: '1', errorMessage: 'spans[0] is odd' } };
    await expect(service.emit(span(1))).rejects.toThrow('spans[0] is odd');
  });
});

describe('OTLP', () => {
  const call: EmittedCall = {
    service: 's',
    environment: 'production',
    startedAt: new Date(1_000),
    endedAt: new Date(1_500),
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    requestModel: 'gpt-4',
    responseModel: 'gpt-4-0613',
    promptName: 'answer',
    promptVersion: 'v13',
    input: 'why?',
    output: 'because',
    inputTokens: 3,
    outputTokens: 1,
    costUsd: 1,
    user: 'u',
    evaluations: [
      { name: 'quality', score: 1 },
      { name: 'safety', label: 'pii' },
    ],
  };
  const valuesOf = (attributes: Wire[]) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, value]));

  test('a call becomes a span by the GenAI conventions', () => {
    const {
      resourceSpans: [resource],
    } = toTraces([call]) as Wire;
    expect(valuesOf(resource.resource.attributes)).toEqual({
      'service.name': { stringValue: 's' },
      'deployment.environment.name': { stringValue: 'production' },
    });
    const [one] = resource.scopeSpans[0].spans;
    expect(one).toMatchObject({ startTimeUnixNano: '1000000000', endTimeUnixNano: '1500000000', status: {} });
    const values = valuesOf(one.attributes);
    expect(values).toMatchObject({
      'gen_ai.operation.name': { stringValue: 'chat' },
      'gen_ai.usage.input_tokens': { intValue: '3' },
      'llm_incident.cost_usd': { doubleValue: 1 },
      'llm_incident.prompt.version': { stringValue: 'v13' },
    });
    expect(JSON.parse(values['gen_ai.input.messages'].stringValue)).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'why?' }] },
    ]);
    expect(values).not.toHaveProperty('session.id');
  });

  test('evaluations become log records, services become resources, errors become a status', () => {
    const failed = { ...call, service: 't', error: 'timeout', evaluations: [] };
    const traces = toTraces([call, failed]) as Wire;
    const logs = toLogs([call, failed]) as Wire;
    expect(traces.resourceSpans).toHaveLength(2);
    expect(traces.resourceSpans[1].scopeSpans[0].spans[0].status).toEqual({ code: 2, message: 'timeout' });
    const records = logs.resourceLogs.flatMap((one: Wire) => one.scopeLogs[0].logRecords);
    expect(records.map((one: Wire) => valuesOf(one.attributes)['gen_ai.evaluation.score.value'])).toEqual([
      { doubleValue: 1 },
      undefined,
    ]);
    expect(valuesOf(records[1].attributes)['gen_ai.evaluation.score.label']).toEqual({ stringValue: 'pii' });
  });
});

test('chance repeats by seed and keeps to its quantiles', () => {
  const [a, b] = [createRandom(1), createRandom(1)];
  expect(Array.from({ length: 5 }, () => a.next())).toEqual(Array.from({ length: 5 }, () => b.next()));
  const drawn = Array.from({ length: 4000 }, () =>
    fromQuantiles(a, [
      [0, 0],
      [0.5, 10],
      [1, 100],
    ]),
  ).sort((x, y) => x - y);
  expect(drawn[2000]).toBeCloseTo(10, -1);
  expect(drawn[0]).toBeGreaterThanOrEqual(0);
  expect(drawn.at(-1)).toBeLessThanOrEqual(100);
  expect(a.hex(16)).toMatch(/^[1-9a-f][0-9a-f]{15}$/);
});
