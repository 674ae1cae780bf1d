import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../demo/loopback-server.ts';
import type { Question } from '../metric-source.ts';
import { clickhouseSource } from './clickhouse-source.ts';

let server: LoopbackServer | undefined;
afterEach(() => server?.close());

interface Asked {
  method: string | undefined;
  parameters: Record<string, string>;
  headers: Record<string, unknown>;
  text: string;
}

const question = (change: Partial<Question> = {}): Question => ({
  service: 'bot',
  environment: 'production',
  rule: 'quality.score',
  measure: 'score',
  from: new Date('2026-01-05T10:00:00.250Z'),
  to: new Date('2026-01-05T10:30:00.000Z'),
  isBaseline: false,
  ...change,
});

/** A source before a server that answers as `answer` says. */
async function scene(
  answer: (asked: Asked, response: ServerResponse) => unknown,
  { text = 'select 1', selector = undefined as string | undefined, timeout = 5 } = {},
) {
  const asked: Asked[] = [];
  server = await listenOnLoopback(async (request, response, body) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://clickhouse');
    const seen = {
      method: request.method,
      parameters: Object.fromEntries(searchParams),
      headers: request.headers,
      text: body.toString(),
    };
    asked.push(seen);
    answer(seen, response);
  });
  const config = { type: 'clickhouse' as const, url: server.url, user: 'reader', password: 'k3y' };
  const services = { bot: { queries: { 'quality.score': text }, ...(selector ? { selector } : {}) } };
  const source = clickhouseSource('events', { ...config, timeout_seconds: timeout }, services);
  const read = async (...questions: Question[]) => source.read(questions, new Date());
  return { asked, read };
}

const rows = (names: string[], ...data: unknown[][]) =>
  JSON.stringify({ meta: names.map((name) => ({ name, type: 'Float64' })), data, rows: data.length });

const failing = (response: ServerResponse, code: number, message: string) => {
  // The status varies from version to version; the code does not.
  response.writeHead(500, { 'x-clickhouse-exception-code': String(code) });
  response.end(`Code: ${code}. DB::Exception: ${message}. (SOME_NAME) (version 26.7.2.1 (official build))\n`);
};

test('a-query-goes-out-read-only-with-its-parameters-beside-it', async () => {
  const { asked, read } = await scene((_, response) => response.end(rows(['value', 'n'], [0.82, '1200'])), {
    text: 'select … where at >= {from:DateTime64(3)} and at < {to:DateTime}',
    selector: "bot\\eu\t'x'",
  });
  expect(await read(question())).toEqual([{ kind: 'reading', reading: { value: 0.82, n: 1200, sd: null } }]);
  expect(asked).toMatchObject([
    {
      method: 'POST',
      text: 'select … where at >= {from:DateTime64(3)} and at < {to:DateTime}',
      headers: { 'x-clickhouse-user': 'reader', 'x-clickhouse-key': 'k3y' },
      parameters: {
        readonly: '1',
        default_format: 'JSONCompact',
        param_service: "bot\\\\eu\\t'x'",
        param_environment: 'production',
        param_from: '1767607200.250',
        param_to: '1767609000',
      },
    },
  ]);
  expect(Number(asked[0]?.parameters['max_execution_time'])).toBeGreaterThan(0);
  expect(Number(asked[0]?.parameters['max_execution_time'])).toBeLessThanOrEqual(5);
});

test('a-user-that-is-read-only-by-profile-is-asked-without-settings', async () => {
  const { asked, read } = await scene((seen, response) => {
    if ('readonly' in seen.parameters)
      failing(response, 164, "Cannot modify 'readonly' setting in readonly mode");
    else response.end(rows(['value', 'n'], [1, 1]));
  });
  expect(await read(question())).toMatchObject([{ kind: 'reading' }]);
  expect(await read(question())).toMatchObject([{ kind: 'reading' }]);
  expect(asked.map(({ parameters }) => 'readonly' in parameters)).toEqual([true, false, false]);
});

test.each([
  [62, 'Syntax error: failed at position 8', 'Syntax error: failed at position 8. (SOME_NAME) (code 62)'],
  [
    164,
    'reader: Cannot execute query in readonly mode',
    'it writes (reader: Cannot execute query in readonly mode',
  ],
  [159, 'Timeout exceeded: elapsed 5.0 seconds', 'the queries of "events" did not end within 5 s'],
  [497, 'Not enough privileges', 'Not enough privileges. (SOME_NAME) (code 497)'],
])('code-%i-is-a-problem-of-that-query-alone', async (code, message, problem) => {
  const { read } = await scene((_, response) => failing(response, code, message));
  expect(await read(question(), question({ rule: 'cost.spend' }))).toEqual([
    { kind: 'problem', problem: expect.stringContaining(`queries["quality.score"]: ${problem}`) },
    { kind: 'unsupported' },
  ]);
});

test('an-error-after-the-first-rows-is-a-problem', async () => {
  const { read } = await scene((_, response) =>
    response.end(
      '{"meta":[{"name":"value"}],"data":[[1],\nCode: 241. DB::Exception: Memory limit exceeded. (MEMORY)',
    ),
  );
  expect(await read(question())).toMatchObject([
    { kind: 'problem', problem: expect.stringContaining('Memory limit exceeded') },
  ]);
});

test('another-format-is-a-problem-with-its-cure', async () => {
  const { read } = await scene((_, response) => response.end('0.82\t1200\n'));
  expect(await read(question())).toMatchObject([
    { kind: 'problem', problem: expect.stringContaining('leave out FORMAT') },
  ]);
});

test.each([
  [
    'wrong credentials',
    (response: ServerResponse) => failing(response, 516, 'Authentication failed'),
    { code: '516', retryable: false },
  ],
  [
    'too many queries',
    (response: ServerResponse) => failing(response, 202, 'Too many queries'),
    { code: '202', retryable: true },
  ],
  [
    'a proxy',
    (response: ServerResponse) => response.writeHead(502).end('<html>bad gateway'),
    { code: '502', retryable: true },
  ],
  [
    'a cut connection',
    (response: ServerResponse) => response.destroy(),
    { code: 'UND_ERR_SOCKET', retryable: true },
  ],
])('%s-make-the-source-unreachable', async (_, answer, failure) => {
  const { read } = await scene((_asked, response) => answer(response));
  await expect(read(question())).rejects.toMatchObject({
    name: 'ExternalError',
    service: 'events',
    ...failure,
  });
});

test('a-server-that-does-not-answer-is-unreachable-at-the-timeout', async () => {
  const { read } = await scene(() => {}, { timeout: 0.2 });
  await expect(read(question())).rejects.toMatchObject({ code: 'timeout', retryable: true });
});
