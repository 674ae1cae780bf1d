import { afterAll, describe, expect, test } from 'vitest';
import { startClickhouse } from '../../../test/harness/clickhouse-shim.ts';
import type { Question } from '../metric-source.ts';
import { clickhouseSource } from './clickhouse-source.ts';

const SETUP = [
  `create table answer (feature String, env String, at DateTime64(3, 'UTC'), score Float64, latency_ms Float64)
    engine = MergeTree order by at`,
  `insert into answer select 'bot', 'production', toDateTime64('2026-01-05 10:00:00', 3, 'UTC') + toIntervalSecond(number),
    if(number >= 1200 and number < 1800, 0, 0.8 + (number % 2) * 0.1), number from numbers(3600)`,
];
const SCORES = `select avg(score) as value, count() as n, stddevSamp(score) as sd from answer
  where feature = {service:String} and env = {environment:String}
    and at >= {from:DateTime64(3)} and at < {to:DateTime64(3)}`;

const started = await startClickhouse({ setup: SETUP, user: 'reader', key: 'k3y', maxExecutionSeconds: 1 });
if (typeof started === 'string') console.warn(`skipped: ${started}`);
const START = Date.UTC(2026, 0, 5, 10);
const minute = (count: number) => new Date(START + count * 60_000);

describe.skipIf(typeof started === 'string')('a ClickHouse source on real ClickHouse', () => {
  afterAll(async () => {
    if (typeof started !== 'string') await started.close();
  });

  const read = async (
    text: string,
    change: Partial<Question> & { selector?: string; password?: string } = {},
  ) => {
    if (typeof started === 'string') throw new Error(started);
    const { selector, password = 'k3y', ...asked } = change;
    const services = { bot: { queries: { 'quality.score': text }, ...(selector ? { selector } : {}) } };
    const config = {
      type: 'clickhouse' as const,
      url: started.url,
      user: 'reader',
      password,
      timeout_seconds: 10,
    };
    const question: Question = {
      service: 'bot',
      environment: 'production',
      rule: 'quality.score',
      measure: 'score',
      from: minute(0),
      to: minute(60),
      isBaseline: false,
      ...asked,
    };
    const [answer] = await clickhouseSource('events', config, services).read([question], new Date());
    return answer;
  };

  test('a-rule-reads-the-row-of-its-query', async () => {
    const answer = await read(SCORES, { from: minute(30), to: new Date(minute(40).getTime() + 500) });
    if (answer?.kind !== 'reading') throw new Error(JSON.stringify(answer));
    expect(answer.reading.n).toBe(601);
    expect(answer.reading.value).toBeCloseTo(0.85, 3);
    expect(answer.reading.sd).toBeCloseTo(0.05, 3);
  });

  test('a-baseline-without-its-exclusions-is-what-one-query-over-the-rest-says', async () => {
    const merged = await read(SCORES, {
      excluding: [{ from: minute(20), to: minute(30) }],
      isBaseline: true,
    });
    const whole = await read(`${SCORES} and score > 0`);
    if (merged?.kind !== 'reading' || whole?.kind !== 'reading')
      throw new Error(JSON.stringify([merged, whole]));
    expect(merged.reading.n).toBe(3000);
    expect(merged.reading.value).toBeCloseTo(whole.reading.value ?? Number.NaN, 9);
    expect(merged.reading.sd).toBeCloseTo(whole.reading.sd ?? Number.NaN, 9);
  });

  test('a-plain-date-time-and-a-quantile-with-its-bounds-are-read', async () => {
    const text = `select quantileExact(0.99)(latency_ms) as value, count() as n, max(latency_ms) as max from answer
      where at >= {from:DateTime} and at < {to:DateTime}`;
    expect(await read(text)).toEqual({
      kind: 'reading',
      reading: { value: 3564, n: 3600, sd: null, max: 3599 },
    });
  });

  test('parameters-are-bound-with-all-their-characters', async () => {
    const selector = "x' or 1=1\\\t--\n";
    expect(await read(SCORES, { selector })).toEqual({
      kind: 'reading',
      reading: { n: 0, value: null, sd: null },
    });
    const echo = 'select length({service:String}) as value, 1 as n';
    expect(await read(echo, { selector })).toMatchObject({ reading: { value: selector.length } });
  });

  test.each([
    [
      'a write',
      'insert into answer (feature) values (1)',
      /^queries\["quality\.score"\]: it writes .*readonly mode/,
    ],
    ['a drop', 'drop table answer', /it writes/],
    ['an unknown column', 'select nonsense as value, 1 as n', /nonsense.*code 47/],
    ['an unknown parameter', 'select {since:DateTime} as value, 1 as n', /since.*code 456/],
    [
      'a slow query',
      'select sum(cityHash64(number)) as value, 1 as n from numbers(1000000000000)',
      /did not end within/,
    ],
  ])('%s-is-a-problem', async (_, text, problem) => {
    expect(await read(text)).toMatchObject({ kind: 'problem', problem: expect.stringMatching(problem) });
    expect(await read('select 1 as value, count() as n from answer')).toMatchObject({ reading: { n: 3600 } });
  });

  test('a-wrong-key-is-an-unreachable-source', async () => {
    await expect(read(SCORES, { password: 'wrong' })).rejects.toMatchObject({
      code: '516',
      retryable: false,
    });
  });
});
