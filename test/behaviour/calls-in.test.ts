import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Db } from '../../src/db/database.ts';
import { type EmittedCall, toLogs, toTraces } from '../../src/demo/service/otlp-calls.ts';
import { decodeMessage, encodeMessage } from '../../src/sources/otlp-messages.ts';
import { startWorld, TOKEN, type World } from '../harness/bot.ts';
import { callsWith } from '../harness/exact-calls.ts';

const SECOND_TOKEN = 'the-next-token';

interface Sent {
  path?: string;
  headers?: Record<string, string>;
  body: string | Buffer;
}

describe('calls that come in', () => {
  let world: World;
  let db: Db;
  let closeDb = async () => {};
  const now = new Date();
  const sent = new Map<string, EmittedCall[]>();
  beforeAll(async () => {
    world = await startWorld({ start: false });
    world.env['LLM_INCIDENT_TOKENS'] = `${TOKEN}, ${SECOND_TOKEN}`;
    await world.restart();
  });
  afterAll(async () => {
    await closeDb();
    await world.close();
  });

  const post = async ({ path = '/v1/traces', headers = {}, body }: Sent) => {
    const answer = await fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    return { status: answer.status, body: await answer.text() };
  };
  const made = (service: string, n = 3) => {
    const calls = callsWith(now, { service, n, good: n });
    sent.set(service, calls);
    return calls;
  };
  const traces = (calls: EmittedCall[]) => JSON.stringify(toTraces(calls));
  const logs = (calls: EmittedCall[]) => JSON.stringify(toLogs(calls));
  type Spans = { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] };
  type Records = { resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[] };

  it.each([
    ['no Authorization', {}],
    ['another token', { authorization: 'Bearer wrong' }],
    ['the token without Bearer', { authorization: TOKEN }],
    ['Basic', { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }],
    ['both tokens as one', { authorization: `Bearer ${TOKEN}, ${SECOND_TOKEN}` }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('are refused with %s', async (_what, headers) => {
    for (const path of ['/v1/traces', '/v1/logs']) {
      const answer = await fetch(`${world.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
        body: traces(made('refused')),
      });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({
        error: 'authorization: send one of LLM_INCIDENT_TOKENS as a bearer token',
      });
    }
  });

  it('are taken with either of two tokens, zipped or not', async () => {
    const plain = { authorization: `Bearer ${SECOND_TOKEN}` };
    expect(await post({ headers: plain, body: traces(made('second-token')) })).toEqual({
      status: 200,
      body: '{}',
    });
    const zipped = gzipSync(traces(made('zipped')));
    expect(await post({ headers: { 'content-encoding': 'gzip' }, body: zipped })).toEqual({
      status: 200,
      body: '{}',
    });
    const unreadable = await post({ headers: { 'content-encoding': 'gzip' }, body: 'not zipped' });
    expect(unreadable.status).toBe(400);
  });

  it('are refused whole, with the reason, when they are no JSON', async () => {
    for (const body of ['', '{"resourceSpans":', 'hello']) {
      const answer = await post({ body });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.body).error).toMatch(/^body: not valid JSON \(/);
    }
  });

  describe('as protobuf', () => {
    const PROTOBUF = 'application/x-protobuf';
    const bytesOf = (name: string, request: object) =>
      Buffer.from(
        encodeMessage(
          name,
          JSON.parse(JSON.stringify(request), (key, value) =>
            key === 'traceId' || key === 'spanId' ? Buffer.from(value, 'hex').toString('base64') : value,
          ),
        ),
      );
    const send = async (path: string, body: Buffer, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${world.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': PROTOBUF, ...headers },
        body: new Uint8Array(body),
      });
      expect(answer.headers.get('content-type')).toBe(PROTOBUF);
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    const spansOf = (calls: EmittedCall[]) => bytesOf('ExportTraceServiceRequest', toTraces(calls));
    const taken = { status: 200, bytes: Buffer.alloc(0) };

    it('are taken and scored, zipped or not, and answered in kind', async () => {
      const calls = made('protobuf', 4);
      const gzip = { 'content-encoding': 'gzip' };
      expect(await send('/v1/traces', spansOf(calls.slice(0, 2)))).toEqual(taken);
      expect(await send('/v1/traces', gzipSync(spansOf(calls.slice(2))), gzip)).toEqual(taken);
      const scores = bytesOf('ExportLogsServiceRequest', toLogs(calls));
      expect(await send('/v1/logs', gzipSync(scores), gzip)).toEqual(taken);
    });

    it('are kept when others in the batch are malformed, which the answer counts and names', async () => {
      const body = toTraces(made('protobuf-partly', 3)) as Spans;
      Object.assign(body.resourceSpans[0]?.scopeSpans[0]?.spans[1] as object, { spanId: 'ab' });
      const answer = await send('/v1/traces', bytesOf('ExportTraceServiceRequest', body));
      expect(answer.status).toBe(200);
      expect(decodeMessage('ExportTraceServiceResponse', answer.bytes)).toEqual({
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage:
            'resourceSpans[0].scopeSpans[0].spans[1].spanId: must be 16 hex digits and not all zero, got "ab"',
        },
      });
    });

    it('are refused whole, with the reason, when the bytes are none', async () => {
      for (const path of ['/v1/traces', '/v1/logs']) {
        const answer = await send(path, Buffer.from('hello'));
        expect(answer.status).toBe(400);
        const { message } = decodeMessage('Status', answer.bytes);
        expect(message).toMatch(/^body: not valid OTLP protobuf \(/);
      }
    });

    it('are refused when they unpack to more than 16 MiB', async () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
      const answer = await send('/v1/traces', bomb, { 'content-encoding': 'gzip' });
      expect(answer.status).toBe(413);
      expect(decodeMessage('Status', answer.bytes)['message']).toBe(
        'body: is larger than 16777216 bytes when unpacked; send smaller batches',
      );
    });
  });

  it('are refused when they unpack to more than 16 MiB', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    expect(await post({ headers: { 'content-encoding': 'gzip' }, body: bomb })).toEqual({
      status: 413,
      body: '{"error":"body: is larger than 16777216 bytes when unpacked; send smaller batches"}',
    });
  });

  it('may be a month old and a day ahead, and are named where they are further away', async () => {
    const HOUR_MS = 3_600_000;
    const at = (hours: number, service: string) =>
      callsWith(new Date(now.getTime() + hours * HOUR_MS), { service, n: 1, good: 1 });
    const backdated = [...at(-29 * 24, 'backdated'), ...at(23, 'backdated')];
    sent.set('backdated', backdated);
    expect(await post({ body: traces(backdated) })).toEqual({ status: 200, body: '{}' });
    sent.set('out-of-time', []);
    const far = [...at(-31 * 24, 'out-of-time'), ...at(25, 'out-of-time')];
    const { partialSuccess } = JSON.parse((await post({ body: traces(far) })).body);
    expect(partialSuccess.rejectedSpans).toBe('2');
    const field = (index: number) => `resourceSpans[0].scopeSpans[0].spans[${index}].endTimeUnixNano: `;
    expect(partialSuccess.errorMessage).toContain(`${field(0)}is `);
    expect(partialSuccess.errorMessage).toContain('calls are kept for 30 days only (retention.calls_days)');
    expect(partialSuccess.errorMessage).toContain(`${field(1)}must not be more than 24 hours in the future`);
  });

  it('are kept when others in the batch are malformed, which are named by field', async () => {
    const body = toTraces(made('partly-malformed', 6)) as Spans;
    const spans = body.resourceSpans[0]?.scopeSpans[0]?.spans as Record<string, unknown>[];
    Object.assign(spans[1] as object, { endTimeUnixNano: 'yesterday' });
    Object.assign(spans[3] as object, { spanId: 'xyz' });
    spans[4] = 'no span' as unknown as Record<string, unknown>;
    const answer = await post({ body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    const { partialSuccess } = JSON.parse(answer.body);
    expect(partialSuccess.rejectedSpans).toBe('3');
    const at = (index: number) => `resourceSpans[0].scopeSpans[0].spans[${index}]`;
    expect(partialSuccess.errorMessage).toBe(
      `${at(1)}.endTimeUnixNano: must be nanoseconds since 1970, got "yesterday"; ` +
        `${at(3)}.spanId: must be 16 hex digits and not all zero, got "xyz"; ` +
        `${at(4)}: must be an object, got "no span"`,
    );
  });

  it('have their malformed evaluations named by field, and the good ones joined', async () => {
    const calls = made('partly-scored', 3);
    await post({ body: traces(calls) });
    const body = toLogs(calls) as Records;
    const records = body.resourceLogs[0]?.scopeLogs[0]?.logRecords as Record<string, unknown>[];
    const name = { key: 'gen_ai.evaluation.name', value: { stringValue: 'quality' } };
    const score = { key: 'gen_ai.evaluation.score.value', value: { doubleValue: 7 } };
    Object.assign(records[1] as object, { attributes: [name, score] });
    const answer = await post({ path: '/v1/logs', body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body).partialSuccess).toEqual({
      rejectedLogRecords: '1',
      errorMessage:
        'resourceLogs[0].scopeLogs[0].logRecords[1].attributes["gen_ai.evaluation.score.value"]: quality must be a number from 0 to 1, got 7',
    });
  });

  it('without service.name are rejected, and say what to set', async () => {
    const body = toTraces(made('nameless', 2)) as { resourceSpans: Record<string, unknown>[] };
    (body.resourceSpans[0] as Record<string, unknown>)['resource'] = { attributes: [] };
    const answer = await post({ body: JSON.stringify(body) });
    expect(JSON.parse(answer.body).partialSuccess).toEqual({
      rejectedSpans: '2',
      errorMessage:
        'resourceSpans[0].resource.attributes: service.name is missing: set OTEL_SERVICE_NAME or the resource attribute',
    });
  });

  it('count once when the same batch comes twice, also at the same moment', async () => {
    const calls = made('twice', 5);
    const both = [traces(calls), traces(calls), traces(calls)].map((body) => post({ body }));
    for (const answer of await Promise.all(both)) expect(answer.status).toBe(200);
    await post({ path: '/v1/logs', body: logs(calls) });
    await post({ path: '/v1/logs', body: logs(calls) });
  });

  it('are joined by evaluations that came before them', async () => {
    const calls = made('scored-first', 4);
    expect((await post({ path: '/v1/logs', body: logs(calls) })).body).toBe('{}');
    expect((await post({ body: traces(calls) })).body).toBe('{}');
  });

  it('are no calls when the span is not one of a model', async () => {
    const [call] = made('no-model', 1);
    const body = toTraces(call === undefined ? [] : [call]) as Spans;
    const span = body.resourceSpans[0]?.scopeSpans[0]?.spans[0] as Record<string, unknown>;
    Object.assign(span, { attributes: [{ key: 'http.method', value: { stringValue: 'GET' } }] });
    expect((await post({ body: JSON.stringify(body) })).body).toBe('{}');
  });

  it('keep a text with NUL and half a surrogate pair', async () => {
    const calls = made('odd-text', 1).map((call) => ({
      ...call,
      spanId: randomBytes(8).toString('hex'),
      output: 'a\u0000b \ud800 c',
    }));
    sent.set('odd-text', calls);
    expect(await post({ body: traces(calls) })).toEqual({ status: 200, body: '{}' });
  });

  it('are all in the database in the end, each once', async () => {
    await world.stopBot();
    const opened = await world.database.open();
    db = opened.db;
    closeDb = opened.close;
    const rows = await db.selectFrom('call').select(['service', 'span_id', 'quality']).execute();
    const of = (service: string) => rows.filter((row) => row.service === service);
    const counts = Object.fromEntries([...sent.keys()].map((service) => [service, of(service).length]));
    expect(counts).toEqual({
      refused: 0,
      'second-token': 3,
      zipped: 3,
      protobuf: 4,
      'protobuf-partly': 2,
      backdated: 2,
      'out-of-time': 0,
      'partly-malformed': 3,
      'partly-scored': 3,
      nameless: 0,
      twice: 5,
      'scored-first': 4,
      'no-model': 0,
      'odd-text': 1,
    });
    const kept = [0, 2, 5].map((index) => sent.get('partly-malformed')?.[index]?.spanId);
    expect(
      of('partly-malformed')
        .map((row) => row.span_id)
        .sort(),
    ).toEqual([...kept].sort());
    expect(of('twice').map(({ quality }) => quality)).toEqual([1, 1, 1, 1, 1]);
    expect(of('protobuf').map(({ quality }) => quality)).toEqual([1, 1, 1, 1]);
    expect(of('scored-first').map(({ quality }) => quality)).toEqual([1, 1, 1, 1]);
    expect(of('partly-scored').filter(({ quality }) => quality === 1)).toHaveLength(2);
  });

  it('are refused when no token is configured', async () => {
    await closeDb();
    closeDb = async () => {};
    world.env['LLM_INCIDENT_TOKENS'] = '';
    await world.restart();
    const answer = await post({ body: traces(callsWith(now, { service: 'closed', n: 1, good: 1 })) });
    expect(answer).toEqual({
      status: 401,
      body: '{"error":"no token is configured: set LLM_INCIDENT_TOKENS"}',
    });
  });
});
