import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricSource, type PrometheusConfig } from '../../src/config/sources.ts';
import { ExternalError } from '../../src/errors.ts';
import type { Answer, Question, Reading } from '../../src/sources/metric-source.ts';
import { type Bucket, completeBuckets, quantileOf } from '../../src/sources/prometheus/histogram.ts';
import {
  type PrometheusService,
  type PrometheusSource,
  prometheusSource,
} from '../../src/sources/prometheus/prometheus-source.ts';
import {
  hasPrometheus,
  hasVictoriaMetrics,
  type StartedServer,
  startPrometheus,
  startVictoriaMetrics,
} from '../harness/prometheus.ts';
import { exposition, HOURS, TROUBLE } from '../harness/prometheus-exposition.ts';

const MINUTE_MS = 60_000;
const { now, weekAgo } = HOURS;

function configFor(url: string, more: Partial<PrometheusConfig> = {}): PrometheusConfig {
  return metricSource.parse({ type: 'prometheus', url, delay_seconds: 0, ...more }) as PrometheusConfig;
}

const service = (name: string, more: Partial<PrometheusService> = {}): PrometheusService => ({
  name,
  environment: 'production',
  queries: {},
  ...more,
});

type About = Pick<Question, 'service' | 'measure'> & Partial<Question>;

const inWindow = (of: About): Question => ({
  environment: 'production',
  rule: 'outage.errors',
  from: new Date(now.getTime() - 10 * MINUTE_MS),
  to: now,
  isBaseline: false,
  ...of,
});

const inWeek = (of: About): Question => inWindow({ from: weekAgo, isBaseline: true, ...of });

function readingOf(answer: Answer | undefined): Reading {
  if (answer?.kind !== 'reading') throw new Error(`not a reading: ${JSON.stringify(answer)}`);
  return answer.reading;
}

const problemOf = (answer: Answer | undefined) => (answer?.kind === 'problem' ? answer.problem : null);

/** Everything that holds for whatever speaks PromQL. */
function anyPromQl(start: () => Promise<StartedServer>): void {
  let server: StartedServer;
  let source: PrometheusSource;
  beforeAll(async () => {
    server = await start();
    source = sourceOf([]);
  });
  afterAll(async () => {
    await source.close();
    await server.stop();
  });

  const sourceOf = (services: readonly PrometheusService[], more: Partial<PrometheusConfig> = {}) =>
    prometheusSource(configFor(server.url, more), services, { name: 'metrics' });
  const one = async (question: Question, from = source) => (await from.read([question], now))[0];

  // The generated traffic of every instrumentation: 100 calls a minute, 5 % errors, 300 tokens and $0.02 a call.
  it.each(['otel', 'otel-js', 'otel-next', 'openllmetry', 'litellm', 'litellm-doubled', 'vllm', 'own'])(
    'finds out by itself what %s exposes, and reads errors, tokens and latency with their n',
    async (name) => {
      const measures = ['errors', 'tokens', 'latency'] as const;
      const answers = await source.read(
        measures.map((measure) => inWindow({ service: name, measure })),
        now,
      );
      const [errors, tokens, latency] = answers.map(readingOf);
      expect(errors?.value).toBeCloseTo(0.05, 6);
      expect(tokens?.value).toBeCloseTo(300, 6);
      expect(latency?.value).toBeCloseTo(3_600, 6);
      expect(latency).toMatchObject({ lower: 2_000, upper: 4_000, about: expect.stringContaining('bucket') });
      for (const reading of [errors, tokens, latency]) {
        expect(reading?.n).toBeGreaterThanOrEqual(900);
        expect(reading?.n).toBeLessThanOrEqual(1_000);
      }
    },
  );

  it.each(['litellm', 'litellm-doubled', 'own'])(
    'reads cost, spend and the busiest user of %s',
    async (name) => {
      const measures = ['cost', 'spend', 'offender'] as const;
      const answers = await source.read(
        measures.map((measure) => inWindow({ service: name, measure })),
        now,
      );
      const [cost, spend, offender] = answers.map(readingOf);
      expect(cost?.value).toBeCloseTo(0.02, 6);
      expect(spend?.value).toBeGreaterThan(0.9 * 120);
      expect(spend?.value).toBeLessThanOrEqual(120.000001);
      expect(offender).toMatchObject({ about: 'user busy' });
      expect(offender?.value).toBeCloseTo(0.75, 6);
      expect(Object.keys(offender?.parts ?? {})).toEqual(['user busy', 'user quiet']);
    },
  );

  it('reads quality, format, refusals, lengths and safety under the names of its own', async () => {
    const measures = ['score', 'similarity', 'format', 'refusals', 'length', 'largest', 'safety'] as const;
    const answers = await source.read(
      measures.map((measure) => inWindow({ service: 'own', measure, rule: 'safety.pii' })),
      now,
    );
    const [score, similarity, format, refusals, length, largest, safety] = answers.map(readingOf);
    expect(score?.value).toBeCloseTo(0.8, 6);
    // No sample has a wider spread than √(0.8 · 0.2) when its scores lie between 0 and 1 and their mean is 0.8.
    expect(score?.sd).toBeCloseTo(0.4, 2);
    expect(similarity?.value).toBeCloseTo(0.9, 6);
    expect(format?.value).toBeCloseTo(0.97, 6);
    expect(refusals?.value).toBeCloseTo(0.02, 6);
    expect(length?.value).toBeCloseTo(150, 6);
    expect(largest).toMatchObject({ max: 1_000 });
    expect(safety?.value).toBe(3);
  });

  it('answers no errors, not no data, while a service has calls and has never failed', async () => {
    const reading = readingOf(await one(inWindow({ service: 'flawless', measure: 'errors' })));
    expect(reading).toMatchObject({ value: 0, n: expect.any(Number) });
    expect(reading.n).toBeGreaterThan(800);
  });

  it('has no number where there are no samples: absent is not zero', async () => {
    const before = { from: new Date(0), to: new Date(10 * MINUTE_MS) };
    for (const measure of ['errors', 'tokens', 'latency', 'format', 'score', 'spend', 'offender'] as const) {
      const reading = readingOf(await one(inWindow({ service: 'own', measure, ...before })));
      expect(reading).toMatchObject({ n: 0, value: null });
    }
  });

  it.each([
    { newest: 2_000, about: 'the calls of the last 22 minutes' },
    { newest: 5_000, about: /the last [456]\d minutes/ },
    { newest: 100_000, about: /the last 1\d{3} minutes/ },
  ])('finds the newest $newest calls as the time that held them', async ({ newest, about }) => {
    const question = inWindow({ service: 'own', measure: 'format', from: weekAgo, newest });
    const reading = readingOf(await one(question));
    expect(reading.n).toBeGreaterThanOrEqual(newest);
    expect(reading.n).toBeLessThanOrEqual(1.25 * newest);
    expect(reading.about).toMatch(about);
  });

  it('reads a week of hours without the times that are left out', async () => {
    const week = inWeek({ service: 'own', measure: 'score', rule: 'quality.score' });
    const [all, some] = (await source.read([week, { ...week, excluding: [TROUBLE] }], now)).map(readingOf);
    // 5 of 168 hours scored 0.2, the others 0.8.
    expect(some?.value).toBeCloseTo(0.8, 3);
    expect(all?.value).toBeCloseTo((163 * 0.8 + 5 * 0.2) / 168, 2);
    expect((all?.n ?? 0) / (some?.n ?? 0)).toBeCloseTo(168 / 163, 1);
    expect(all?.sd).toBeGreaterThan(some?.sd ?? Number.POSITIVE_INFINITY);
  });

  it('asks queries of the team instead, with their window and their count', async () => {
    const metric = 'llm_requests_total{service_name="own"}';
    const own = sourceOf([
      service('own', {
        queries: {
          'outage.errors': `sum(rate(${metric}[$window])) ;; sum(increase(${metric}[$window])) # calls`,
          'cost.tokens': `sum(rate(${metric}[$window]))`,
        },
      }),
    ]);
    const counted = readingOf(await one(inWindow({ service: 'own', measure: 'errors' }), own));
    expect(counted.value).toBeCloseTo(100 / 60, 1);
    expect(counted.n).toBeGreaterThan(800);
    const uncounted = { service: 'own', measure: 'tokens', rule: 'cost.tokens', needs: 50 } as const;
    expect(readingOf(await one(inWindow(uncounted), own))).toMatchObject({
      n: 50,
      about: expect.stringContaining('n unknown'),
    });
    await own.close();
  });

  it.each([0.5, 0.9, 0.95, 0.99, 1])(
    'has the quantile %d as the server itself computes it',
    async (share) => {
      const selector = 'service_name="own"';
      const buckets = `sum by (le) (increase(llm_request_duration_seconds_bucket{${selector}}[$window]))`;
      const asking = sourceOf([
        service('own', { queries: { theirs: `histogram_quantile(${share}, ${buckets})` } }),
      ]);
      const theirs = await one(inWindow({ service: 'own', measure: 'latency', rule: 'theirs' }), asking);
      const raw = await bucketsOf(server.url, buckets.replace('$window', '600s'));
      expect(quantileOf(completeBuckets(raw) ?? [], share).value).toBeCloseTo(
        readingOf(theirs).value ?? NaN,
        6,
      );
      await asking.close();
    },
  );

  it('takes NaN, infinities and nothing for no data', async () => {
    const queries = {
      'outage.errors': 'sum(nothing_here) ;; vector(10)',
      'outage.latency': 'vector(0) / vector(0) ;; vector(10)',
      'cost.tokens': 'vector(1) / vector(0) ;; vector(10)',
      'cost.request': '-vector(1) / vector(0) ;; vector(10)',
      'cost.spend': 'vector(5) ;; vector(0) / vector(0)',
    };
    const odd = sourceOf([service('odd', { queries })]);
    for (const rule of Object.keys(queries)) {
      const reading = readingOf(await one(inWindow({ service: 'odd', measure: 'errors', rule }), odd));
      expect(reading).toMatchObject({ n: 0, value: null });
    }
    await odd.close();
  });

  it('answers every other rule when one query is wrong, and names the wrong one', async () => {
    const good = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`r${i}`, `vector(${i}) ;; vector(7)`]),
    );
    const queries = {
      ...good,
      r6: 'llm_requests_total[5m]',
      r11: 'sum((',
      r23: 'nonsense(up)',
      r31: 'sum by (le) (llm_output_chars_bucket)',
    };
    const mixed = sourceOf([service('mixed', { queries })]);
    const rules = Object.keys(good);
    const answers = await mixed.read(
      rules.map((rule) => inWindow({ service: 'mixed', measure: 'errors', rule })),
      now,
    );
    rules.forEach((rule, i) => {
      if (['r6', 'r11', 'r23', 'r31'].includes(rule)) expect(problemOf(answers[i])).not.toBeNull();
      else expect(readingOf(answers[i])).toMatchObject({ value: i, n: 7 });
    });
    expect(problemOf(answers[11])).toMatch(/pars|syntax/);
    expect(problemOf(answers[31])).toContain('series where one is wanted');
    await mixed.close();
  });

  it('says what is missing when it knows no metric of a service', async () => {
    const answer = await one(inWindow({ service: 'stranger', measure: 'errors' }));
    expect(problemOf(answer)).toMatch(/no metric of a known profile under \{service_name="stranger"\}/);
    expect(await one(inWindow({ service: 'otel', measure: 'format' }))).toEqual({ kind: 'unsupported' });
  });

  it('reads a profile that was named before anything was seen, as no data', async () => {
    const named = sourceOf([], { profile: 'litellm' });
    const answer = await one(inWindow({ service: 'stranger', measure: 'spend' }), named);
    expect(readingOf(answer)).toMatchObject({ n: 0, value: null });
    await named.close();
  });

  it('takes the selector of a service, and names with quotes in them', async () => {
    const picked = sourceOf([service('alias', { selector: '{service_name="own"}' }), service('a"b\\c')]);
    const reading = readingOf(await one(inWindow({ service: 'alias', measure: 'errors' }), picked));
    expect(reading.value).toBeCloseTo(0.05, 6);
    const answer = await one(inWindow({ service: 'a"b\\c', measure: 'errors' }), picked);
    expect(problemOf(answer)).toContain('no metric');
    await picked.close();
  });
}

if (!hasPrometheus)
  console.log('SKIPPED: no prometheus and promtool on PATH: the source is not tested against a real one');
describe.skipIf(!hasPrometheus)('a source that is a real Prometheus', () =>
  anyPromQl(() => startPrometheus({ series: exposition() })),
);

if (!hasVictoriaMetrics)
  console.log('SKIPPED: no victoria-metrics on PATH: the source is not tested against a real one');
describe.skipIf(!hasVictoriaMetrics)('a source that is a real VictoriaMetrics', () =>
  anyPromQl(() => startVictoriaMetrics({ series: exposition() })),
);

/** The buckets themselves, asked past the source. */
async function bucketsOf(url: string, query: string): Promise<Bucket[]> {
  const time = String(now.getTime() / 1000);
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query, time })}`);
  const { data } = (await answer.json()) as {
    data: { result: { metric: { le: string }; value: [number, string] }[] };
  };
  return data.result.map(({ metric, value }) => ({
    le: metric.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(metric.le),
    count: Number(value[1]),
  }));
}

/** A server that answers as it is told to, and counts. */
async function standIn(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume().on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: urlOf(server), seen, close: () => closed(server) };
}

const urlOf = (server: Server | TcpServer) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const closed = (server: Server | TcpServer) =>
  new Promise<void>((resolve) => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close(() => resolve());
  });

describe('a source that does not behave', () => {
  const queries = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`r${i}`, `vector(${i})`]));
  const questions = Object.keys(queries).map((rule) =>
    inWindow({ service: 'bot', measure: 'errors', rule, needs: 1 }),
  );
  const sourceAt = (url: string, more: Partial<PrometheusConfig> = {}) =>
    prometheusSource(configFor(url, more), [service('bot', { queries })], {
      name: 'metrics',
      random: () => 0,
    });
  const failureOf = async (reading: Promise<unknown>): Promise<ExternalError> => {
    const thrown = await reading.then(
      () => null,
      (error: unknown) => error,
    );
    if (!(thrown instanceof ExternalError)) throw new Error(`did not fail as it should: ${thrown}`);
    return thrown;
  };

  it('costs one timeout for all rules while it hangs, then a pause, and is asked again after it', async () => {
    const sockets: Socket[] = [];
    let requests = 0;
    const server = createTcpServer((socket) => {
      sockets.push(socket);
      socket
        .on('error', () => {})
        .on('data', (data) => {
          if (`${data}`.startsWith('POST ')) requests += 1;
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const source = sourceAt(urlOf(server), { timeout_seconds: 0.5 });
    const first = await failureOf(source.read(questions, now));
    expect(first).toMatchObject({
      retryable: true,
      message: expect.stringContaining('no answer within 0.5 s'),
    });
    const sent = requests;
    expect(sent).toBeLessThanOrEqual(6);
    const resting = await failureOf(source.read(questions, now));
    expect(resting.retryAfterMs).toBe(16_000);
    expect(requests).toBe(sent);
    await failureOf(source.read(questions, new Date(now.getTime() + 16_000)));
    expect(requests).toBeGreaterThan(sent);
    await source.close();
    for (const socket of sockets) socket.destroy();
    await closed(server);
  });

  it('says that it cannot be reached when nobody listens', async () => {
    const { url, close } = await standIn(() => {});
    await close();
    const source = sourceAt(url);
    const failure = await failureOf(source.read(questions, now));
    expect(failure).toMatchObject({ retryable: true, message: expect.stringContaining('ECONNREFUSED') });
    await source.close();
  });

  it.each([
    {
      what: 'a login page with 200',
      status: 200,
      body: '<html>Sign in</html>',
      says: 'login page',
      retryable: false,
    },
    {
      what: 'JSON of something else',
      status: 200,
      body: '{"ok":true}',
      says: 'not of the Prometheus API',
      retryable: false,
    },
    { what: 'a redirect', status: 302, body: '', says: 'redirects (302)', retryable: false },
    { what: 'a wrong token', status: 401, body: 'no', says: '401', retryable: false },
    { what: 'a gateway without its server', status: 502, body: '<html>', says: '502', retryable: true },
  ])('takes $what for unreachable, never for a number', async ({ status, body, says, retryable }) => {
    const server = await standIn((_, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body);
    });
    const source = sourceAt(server.url);
    const failure = await failureOf(source.read(questions, now));
    expect(failure).toMatchObject({ retryable, message: expect.stringContaining(says) });
    await source.close();
    await server.close();
  });

  it('obeys a server that says how long to stay away', async () => {
    const server = await standIn((_, response) => response.writeHead(429, { 'retry-after': '120' }).end());
    const source = sourceAt(server.url);
    await failureOf(source.read(questions, now));
    const asked = server.seen.length;
    await failureOf(source.read(questions, new Date(now.getTime() + 119_000)));
    expect(server.seen.length).toBe(asked);
    await failureOf(source.read(questions, new Date(now.getTime() + 121_000)));
    expect(server.seen.length).toBeGreaterThan(asked);
    await source.close();
    await server.close();
  });

  it('sends its token and headers, asks for plain text, and asks 300 rules in six requests', async () => {
    const empty = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } });
    const server = await standIn((_, response) => response.end(empty));
    const source = sourceAt(`${server.url}/prometheus/`, {
      token: 'secret',
      headers: { 'x-scope-orgid': 'team' },
    });
    const answers = await source.read(questions, now);
    expect(answers).toHaveLength(300);
    expect(server.seen).toHaveLength(6);
    for (const { url, method, headers } of server.seen) {
      expect([method, url]).toEqual(['POST', '/prometheus/api/v1/query']);
      expect(headers).toMatchObject({
        authorization: 'Bearer secret',
        'x-scope-orgid': 'team',
        'accept-encoding': 'identity',
      });
    }
    await source.close();
    await server.close();
  });

  it('takes a scalar for a wrong query, alone as in a batch', async () => {
    const scalar = { status: 'success', data: { resultType: 'scalar', result: [0, '1'] } };
    const server = await standIn((_, response) => response.end(JSON.stringify(scalar)));
    const source = sourceAt(server.url);
    for (const answer of await source.read(questions.slice(0, 3), now))
      expect(problemOf(answer)).toContain('gives a scalar where an instant vector is wanted');
    await source.close();
    await server.close();
  });

  it('leaves a wrong query alone for ten minutes, then tries it again', async () => {
    const server = await standIn((_, response) =>
      response
        .writeHead(400)
        .end(JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'no such thing' })),
    );
    const source = sourceAt(server.url);
    const only = questions.slice(0, 1);
    const at = (minutes: number) => new Date(now.getTime() + minutes * MINUTE_MS);
    for (const [minutes, requests] of [
      [0, 1],
      [9, 1],
      [10, 2],
    ] as const) {
      const [answer] = await source.read(only, at(minutes));
      expect(problemOf(answer)).toBe('no such thing');
      expect(server.seen).toHaveLength(requests);
    }
    await source.close();
    await server.close();
  });

  it('asks what was in a slow batch alone the next time, which finds the slow one', async () => {
    const server = await slowOn('vector(2)');
    const source = sourceAt(server.url);
    const few = questions.slice(0, 5);
    const first = await source.read(few, now);
    for (const answer of first) expect(problemOf(answer)).toContain('too slow');
    const second = await source.read(few, now);
    expect(second.map((answer) => answer.kind)).toEqual([
      'reading',
      'reading',
      'problem',
      'reading',
      'reading',
    ]);
    await source.close();
    await server.close();
  });
});

/** Answers 1 to every query but to those with this text in them, which take too long. */
async function slowOn(text: string) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const query = new URLSearchParams(Buffer.concat(chunks).toString()).get('query') ?? '';
    const error = {
      status: 'error',
      errorType: 'timeout',
      error: 'query timed out in expression evaluation',
    };
    if (query.includes(text)) return void response.writeHead(503).end(JSON.stringify(error));
    const places = [...query.matchAll(/"llm_incident_ask", "(\d+)"/g)].map(([, place]) => place);
    const result = places.map((place) => ({ metric: { llm_incident_ask: place }, value: [0, '1'] }));
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: urlOf(server), close: () => closed(server) };
}
