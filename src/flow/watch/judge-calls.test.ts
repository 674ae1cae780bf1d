import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { troublesNow } from '../../db/trouble-store.ts';
import type { Call } from '../../sources/call.ts';
import { saveCalls, saveEvaluations } from '../../sources/call-store.ts';
import { call, evaluation } from '../../sources/example-calls.ts';
import { evaluatorOf } from '../../sources/judge/judge.ts';
import { isSampled, JUDGE_CALL, judgeCall, judgeCalls } from './judge-calls.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const RUBRIC = 'Is it right?';
const JUDGE = evaluatorOf({ model: 'judge-1', rubric: RUBRIC });

let bench: JobBench;
let model: ModelEndpoint;
beforeAll(async () => {
  bench = await startJobBench();
  model = await startModelEndpoint();
});
afterAll(async () => {
  await bench.close();
  await model.close();
});
beforeEach(async () => {
  for (const table of ['call', 'job', 'budget', 'setting', 'trouble'] as const) {
    await bench.db.deleteFrom(table).execute();
  }
  bench.moveTo(NOON);
  model.requests.length = 0;
  model.answerWith(() => '{"score": 0.4, "reason": "half right"}');
  configure();
});

const configure = (changes: object = {}) => {
  const judge = { url: model.url, model: 'judge-1', rubric: RUBRIC, sample_share: 1, ...changes };
  bench.configure({ services: { 'support-bot': { judge: { calls_per_day: 1_000, ...judge } } } });
};
const recent = (number: number, changes: Partial<Call> = {}) =>
  call(number, { at: new Date(NOON.getTime() - 60_000 + number), ...changes });
const arrive = (...calls: Call[]) => saveCalls(bench.db, calls);
const handlers = () => ({ [JUDGE_CALL]: (job: Parameters<typeof judgeCall>[1]) => judgeCall(bench, job) });
/** The first tick only notes where the calls that it may score begin. */
const begin = () => judgeCalls(bench);
const tick = async () => {
  await judgeCalls(bench);
  await bench.work(handlers());
};
const scores = () =>
  bench.db
    .selectFrom('call_evaluation')
    .innerJoin('call', 'call.id', 'call_id')
    .select(['span_id', 'value', 'explanation', 'evaluator', 'call.quality'])
    .orderBy('call_id')
    .execute();
const sentTexts = () => model.requests.map((request) => request.body.messages?.[1]?.content ?? '');

describe('scoring', () => {
  test('a call that arrives is scored once, in the name of model and rubric', async () => {
    await arrive(recent(0));
    await begin();
    await arrive(recent(1));
    await tick();
    await tick();
    expect(await scores()).toEqual([
      {
        span_id: recent(1).spanId,
        value: 0.4,
        explanation: 'half right',
        evaluator: JUDGE,
        quality: 0.4,
      },
    ]);
    expect(model.requests).toHaveLength(1);
  });

  test('texts leave without personal data', async () => {
    await begin();
    await arrive(recent(1, { input: 'I am jane@example.com', output: 'Mail to jane@example.com' }));
    await tick();
    expect(sentTexts().join()).toContain('I am [email]');
    expect(sentTexts().join()).not.toContain('jane@');
  });

  test('calls without an output, of canaries, of other services and of yesterday are left alone', async () => {
    await begin();
    await arrive(
      recent(1, { output: null }),
      recent(2, { output: '' }),
      recent(3, { userId: 'llm-incident-canary' }),
      recent(4, { service: 'other' }),
      recent(5, { environment: 'staging' }),
      recent(6, { at: new Date(NOON.getTime() - 61 * 60_000) }),
    );
    await tick();
    expect(model.requests).toHaveLength(0);
  });

  test('a score of the application stands, before and after', async () => {
    await begin();
    const own = { at: new Date(NOON.getTime() - 50_000), value: 0.9, evaluator: 'app' };
    await arrive(recent(1), recent(2), recent(3));
    await saveEvaluations(bench.db, [evaluation(1, own)]);
    await judgeCalls(bench);
    await saveEvaluations(bench.db, [evaluation(2, { ...own, evaluator: null })]);
    await bench.work(handlers());
    expect(model.requests).toHaveLength(1);
    await saveEvaluations(bench.db, [evaluation(3, { ...own, at: recent(3).at })]);
    expect((await scores()).map(({ value, evaluator }) => [value, evaluator])).toEqual([
      [0.9, 'app'],
      [0.9, null],
      [0.9, 'app'],
    ]);
  });

  test('a score of the application that comes while the judge thinks stands', async () => {
    await begin();
    await arrive(recent(1));
    model.answerWith(async () => {
      await saveEvaluations(bench.db, [evaluation(1, { at: recent(1).at, value: 0.9 })]);
      return '{"score": 0.1}';
    });
    await tick();
    expect(await scores()).toMatchObject([{ value: 0.9, evaluator: 'rubric' }]);
  });
});

describe('the sample', () => {
  test('is the same for every replica and about as large as wanted', () => {
    const calls = Array.from({ length: 10_000 }, (_, i) => call(i));
    const chosen = calls.filter((one) => isSampled(one, 0.05));
    expect(chosen).toEqual(calls.filter((one) => isSampled(one, 0.05)));
    expect(chosen.length).toBeGreaterThan(400);
    expect(chosen.length).toBeLessThan(600);
    expect(chosen.every((one) => isSampled(one, 0.1))).toBe(true);
  });

  test('two replicas that look at once ask once', async () => {
    await begin();
    await arrive(...Array.from({ length: 10 }, (_, i) => recent(i)));
    await Promise.all([judgeCalls(bench), judgeCalls(bench)]);
    await bench.work(handlers());
    expect(model.requests).toHaveLength(10);
  });

  test('stays within the part of the day’s budget that has passed, and an hour', async () => {
    configure({ calls_per_day: 24 });
    await begin();
    await arrive(...Array.from({ length: 30 }, (_, i) => recent(i)));
    await tick();
    expect(model.requests).toHaveLength(13);
    bench.moveTo(new Date('2026-03-03T00:00:00Z'));
    await arrive(...Array.from({ length: 5 }, (_, i) => call(100 + i, { at: bench.clock.now() })));
    await tick();
    expect(model.requests).toHaveLength(14);
  });
});

describe('a judge that fails', () => {
  test('is asked again when it was away, and scores then', async () => {
    await begin();
    await arrive(recent(1));
    let asked = 0;
    model.answerWith(() => {
      asked += 1;
      return asked === 1 ? { status: 503 } : '{"score": 0.4}';
    });
    await tick();
    expect(await scores()).toHaveLength(1);
  });

  test('is given up after three wrong answers, which is counted and told, and the next call is scored', async () => {
    await begin();
    await arrive(recent(1, { output: 'odd' }), recent(2));
    model.answerWith(({ body }) =>
      body.messages?.[1]?.content.includes('odd') ? 'Well…' : '{"score": 0.4}',
    );
    await tick();
    expect(sentTexts().filter((text) => text.includes('odd'))).toHaveLength(3);
    expect(await scores()).toMatchObject([{ span_id: recent(2).spanId }]);
    const dead = await bench.db.selectFrom('job').selectAll().where('state', '=', 'dead').execute();
    expect(dead).toHaveLength(1);
    await judgeCalls(bench);
    expect(await troublesNow(bench.db)).toMatchObject([
      {
        key: 'judge:support-bot',
        problem: expect.stringMatching(/^the judge of support-bot gives no scores: .*gave no score/),
      },
    ]);
  });

  test('asks no more than the day’s budget, retries counted', async () => {
    configure({ calls_per_day: 1 });
    await begin();
    await arrive(recent(1));
    model.answerWith(() => 'Well…');
    await tick();
    expect(model.requests).toHaveLength(1);
    expect(await scores()).toEqual([]);
  });

  test('jobs of a rubric that is no longer configured are let go', async () => {
    await begin();
    await arrive(recent(1));
    await judgeCalls(bench);
    configure({ rubric: 'Another one' });
    await bench.work(handlers());
    expect(model.requests).toHaveLength(0);
  });
});
