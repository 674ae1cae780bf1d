import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import { ExternalError } from '../../errors.ts';
import type { Question } from '../metric-source.ts';
import { type SqlSource, sqlSource } from './sql-source.ts';

const serverUrl = inject('testDatabaseUrl');
if (serverUrl === '') console.warn('skipped: SQL sources on a real Postgres need TEST_DATABASE_URL');

const START = Date.UTC(2026, 0, 5, 10);
const minute = (count: number) => new Date(START + count * 60_000);
/** Half of the scores are 0.8, half 0.9; ten minutes of them are 0. */
const SCORES = `select avg(score) as value, count(score) as n, stddev_samp(score) as sd from answer -- not :this
  where feature = :service and env = :environment and at >= :from and at < :to and ':to' <> ''`;

const question = (change: Partial<Question> = {}): Question => ({
  service: 'bot',
  environment: 'production',
  rule: 'quality.score',
  measure: 'score',
  from: minute(0),
  to: minute(60),
  isBaseline: false,
  ...change,
});

describe.skipIf(serverUrl === '')('a SQL source on a real Postgres', () => {
  let database: TestDatabase;
  let client: pg.Client;
  const opened: SqlSource[] = [];

  const read = async (
    text: string,
    change: Partial<Question> & { selector?: string; timeout?: number } = {},
  ) => {
    const { selector, timeout = 5, ...asked } = change;
    const services = { bot: { queries: { 'quality.score': text }, ...(selector ? { selector } : {}) } };
    const url = database.env.DATABASE_URL as string;
    const source = sqlSource('shop', { type: 'sql', url, timeout_seconds: timeout }, services);
    opened.push(source);
    const [answer] = await source.read([question(asked)], new Date());
    return answer;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.env.DATABASE_URL as string });
    await client.connect();
    await client.query('create table answer (feature text, env text, at timestamp, score numeric)');
    await client.query(`insert into answer select 'bot', 'production', timestamp '2026-01-05 10:00' +
      n * interval '1 minute', case when n between 20 and 29 then 0 else 0.8 + (n % 2) * 0.1 end
      from generate_series(0, 59) n`);
  });
  afterAll(async () => {
    await Promise.all(opened.map((source) => source.close()));
    await client.end();
    await database.drop();
  });

  test('a-rule-reads-the-row-of-its-query', async () => {
    const answer = await read(SCORES, { from: minute(30) });
    expect(answer).toMatchObject({ kind: 'reading', reading: { n: 30 } });
    if (answer?.kind !== 'reading') throw new Error('expected a reading');
    expect(answer.reading.value).toBeCloseTo(0.85, 12);
    expect(answer.reading.sd).toBeCloseTo(0.05 * Math.sqrt(30 / 29), 9);
  });

  test('a-baseline-without-its-exclusions-is-what-one-query-over-the-rest-says', async () => {
    const excluding = [{ from: minute(20), to: minute(30) }];
    const merged = await read(SCORES, { excluding, isBaseline: true });
    const whole = await read(`${SCORES} and (at < '2026-01-05 10:20' or at >= '2026-01-05 10:30')`);
    if (merged?.kind !== 'reading' || whole?.kind !== 'reading') throw new Error('expected readings');
    expect(merged.reading.n).toBe(50);
    expect(merged.reading.value).toBeCloseTo(whole.reading.value ?? Number.NaN, 12);
    expect(merged.reading.sd).toBeCloseTo(whole.reading.sd ?? Number.NaN, 12);
  });

  test('parameters-are-bound-not-written-into-the-text', async () => {
    const selector = "x' or true; drop table answer; --";
    expect(await read(SCORES, { selector })).toMatchObject({ reading: { n: 0, value: null } });
    const echo =
      "select length(:service) as value, 1 as n where :service = 'bot' or :service like 'x'' or true%'";
    expect(await read(echo, { selector })).toMatchObject({ reading: { value: selector.length } });
  });

  test('only-the-newest-calls-when-the-rule-asks-for-them', async () => {
    const text = `select avg(score) as value, count(*) as n from
      (select score from answer where at < :to order by at desc limit :newest) last`;
    expect(await read(text, { newest: 7 })).toMatchObject({ reading: { n: 7 } });
    expect(await read(text)).toMatchObject({ reading: { n: 60 } });
  });

  test.each([
    [
      'an insert',
      "with w as (insert into answer (feature) values ('z') returning 1) select 1 as value, count(*) as n from w",
    ],
    ['a plain delete', 'delete from answer'],
    ['a way out of the transaction', 'select 1 as value, 1 as n; commit; delete from answer'],
    ['a sequence', "select nextval('written') as value, 1 as n"],
    ['a change of the setting', "select set_config('transaction_read_only', 'off', true) as value, 1 as n"],
  ])('%s-is-refused', async (_, text) => {
    await client.query('create sequence if not exists written');
    expect(await read(text)).toMatchObject({
      kind: 'problem',
      problem: expect.stringContaining('quality.score'),
    });
    const { rows } = await client.query('select count(*)::int as n from answer');
    expect(rows).toEqual([{ n: 60 }]);
  });

  test('a-write-is-named-as-one', async () => {
    expect(await read('delete from answer')).toMatchObject({
      problem: expect.stringMatching(/^queries\["quality\.score"\]: it writes .*may only read$/),
    });
  });

  test('a-slow-query-ends-on-the-server-at-the-timeout', async () => {
    const text = 'select 1 as value, 1 as n from (select pg_sleep(3600)) as the_slow_one';
    expect(await read(text, { timeout: 0.6 })).toMatchObject({
      kind: 'problem',
      problem: expect.stringContaining('did not end within 0.6 s'),
    });
    const running = await client.query(
      "select 1 from pg_stat_activity where state = 'active' and query like '%the\\_slow\\_one%' and pid <> pg_backend_pid()",
    );
    expect(running.rows).toEqual([]);
  });

  test('one-bad-query-fails-alone', async () => {
    const queries = {
      'quality.score': SCORES,
      'quality.format': 'select nonsense',
      'outage.errors': 'select :since',
    };
    const url = database.env.DATABASE_URL as string;
    const source = sqlSource('shop', { type: 'sql', url, timeout_seconds: 5 }, { bot: { queries } });
    opened.push(source);
    const rules = ['quality.format', 'quality.score', 'outage.errors', 'cost.spend', 'quality.score'];
    const answers = await source.read(
      rules.map((rule) => question({ rule })),
      new Date(),
    );
    expect(answers.map((answer) => answer.kind)).toEqual([
      'problem',
      'reading',
      'problem',
      'unsupported',
      'reading',
    ]);
    expect(answers[0]).toMatchObject({
      problem: expect.stringContaining('column "nonsense" does not exist'),
    });
    expect(answers[2]).toMatchObject({ problem: expect.stringContaining(':since is not a parameter') });
  });

  test('a-wrong-database-is-an-unreachable-source', async () => {
    const url = Object.assign(new URL(database.env.DATABASE_URL as string), {
      pathname: '/no_such_database',
    });
    const source = sqlSource(
      'shop',
      { type: 'sql', url: url.toString(), timeout_seconds: 5 },
      {
        bot: { queries: { 'quality.score': SCORES } },
      },
    );
    opened.push(source);
    await expect(source.read([question()], new Date())).rejects.toMatchObject({
      name: 'ExternalError',
      code: '3D000',
      retryable: false,
    });
  });
});

describe('a SQL source that is away', () => {
  const services = { bot: { queries: { 'quality.score': SCORES } } };

  test('a-server-that-is-not-there-is-unreachable-and-its-password-stays-secret', async () => {
    const url = 'postgres://reader:s3cret@127.0.0.1:1/shop';
    const source = sqlSource('shop', { type: 'sql', url, timeout_seconds: 5 }, services);
    const failure = await source.read([question()], new Date()).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ExternalError);
    expect(failure).toMatchObject({ service: 'shop', code: 'ECONNREFUSED', retryable: true });
    expect(String(failure)).not.toContain('s3cret');
    await source.close();
  });

  test('a-server-that-takes-the-connection-and-says-nothing-ends-at-the-timeout', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const url = `postgres://reader@127.0.0.1:${port}/shop`;
    const source = sqlSource('shop', { type: 'sql', url, timeout_seconds: 0.3 }, services);
    await expect(source.read([question()], new Date())).rejects.toThrow('shop is unreachable');
    await source.close();
    server.close();
  });
});
