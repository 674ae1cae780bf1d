import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { troublesNow } from '../../db/trouble-store.ts';
import { canarySource } from '../../sources/canary-source.ts';
import { pruneCanaryRuns } from '../../sources/canary-store.ts';
import type { Question } from '../../sources/metric-source.ts';
import { RUN_CANARY, runCanaries, runCanary } from './run-canaries.ts';

const MINUTE_MS = 60_000;
const MORNING = new Date('2026-03-02T08:00:00Z');

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
  await bench.db.deleteFrom('canary_run').execute();
  await bench.db.deleteFrom('job').execute();
  await bench.db.deleteFrom('budget').execute();
  await bench.db.deleteFrom('trouble').execute();
  bench.moveTo(MORNING);
  model.requests.length = 0;
  model.answerWith(() => 'Paris');
});

const CAPITAL = { name: 'capital', prompt: 'What is the capital of France?', compare: 'same' };
const configure = (changes: object = {}, service: object = {}) => {
  const canaries = { url: model.url, prompts: [CAPITAL], ...changes };
  bench.configure({ services: { support: { canaries, ...service } } });
};
const handlers = () => ({ [RUN_CANARY]: (job: Parameters<typeof runCanary>[1]) => runCanary(bench, job) });
const tick = async () => {
  await runCanaries(bench);
  await bench.work(handlers());
};
const runs = async (answers: (string | { status: number })[]) => {
  for (const answer of answers) {
    model.answerWith(() => answer);
    await tick();
    bench.advance(10 * MINUTE_MS);
  }
};
const stored = () => bench.db.selectFrom('canary_run').selectAll().orderBy('id').execute();
const read = async (changes: Partial<Question> = {}) => {
  const now = bench.clock.now();
  const { environment, services } = bench.config;
  const window = { from: new Date(now.getTime() - 60 * MINUTE_MS), to: now };
  const about = { service: 'support', environment, rule: 'quality.drift', isBaseline: false };
  const question: Question = { ...window, ...about, measure: 'canaries', ...changes };
  const [answer] = await canarySource({ db: bench.db, environment, services }).read([question], now);
  return answer;
};
const usual = (n: number) => Array.from({ length: n }, () => 'Paris');

describe('a schedule', () => {
  test('runs each prompt once an interval, however often it is looked at', async () => {
    configure({ prompts: [CAPITAL, { name: 'greeting', prompt: 'Hello!' }] });
    await tick();
    await tick();
    bench.advance(9 * MINUTE_MS);
    await tick();
    expect(await stored()).toHaveLength(2);
    bench.advance(MINUTE_MS);
    await tick();
    expect((await stored()).map((run) => run.canary).toSorted()).toEqual([
      'capital',
      'capital',
      'greeting',
      'greeting',
    ]);
    expect(model.requests).toHaveLength(4);
  });

  test('two replicas that look at once send one', async () => {
    configure();
    await Promise.all([runCanaries(bench), runCanaries(bench)]);
    await bench.work(handlers());
    expect(model.requests).toHaveLength(1);
  });

  test('is stretched until a day fits into the budget, which is never overdrawn', async () => {
    configure({ every_minutes: 10, calls_per_day: 24 });
    await runs(usual(12));
    expect(model.requests).toHaveLength(2);
    configure({ every_minutes: 10, calls_per_day: 144 });
    await bench.db.updateTable('budget').set({ used: 143 }).execute();
    await runs(usual(3));
    expect(model.requests).toHaveLength(3);
    bench.moveTo(new Date('2026-03-03T00:01:00Z'));
    await tick();
    expect(model.requests).toHaveLength(4);
  });

  test('a run that was cut short is missing', async () => {
    configure();
    await runCanaries(bench);
    await bench.db.updateTable('job').set({ attempts: 1 }).execute();
    await bench.work(handlers());
    expect(model.requests).toHaveLength(0);
    expect(await stored()).toEqual([]);
  });

  test('a run whose interval is over is missing', async () => {
    configure();
    await runCanaries(bench);
    bench.advance(10 * MINUTE_MS);
    await bench.work(handlers());
    expect(model.requests).toHaveLength(0);
  });

  test('old runs are forgotten', async () => {
    configure();
    await runs(usual(3));
    await pruneCanaryRuns(bench.db, new Date(MORNING.getTime() + 10 * MINUTE_MS));
    expect(await stored()).toHaveLength(2);
  });
});

describe('what is read', () => {
  test('one deviation is chance, the second in a row counts, with its name and how', async () => {
    configure();
    await runs([...usual(5), 'Lyon']);
    expect((await stored()).map((run) => run.deviates)).toEqual([false, false, false, false, false, true]);
    expect(await read()).toEqual({ kind: 'reading', reading: { n: 1, value: 0, sd: null } });
    await runs(['Lyon']);
    const about = 'capital: not the output of 5 of 5 earlier runs';
    expect(await read()).toEqual({ kind: 'reading', reading: { n: 1, value: 1, sd: null, about } });
    await runs(['Paris']);
    expect(await read()).toMatchObject({ reading: { value: 0 } });
  });

  test('a failing endpoint is an error and no deviation', async () => {
    configure();
    await runs([...usual(5), { status: 500 }, 'Paris', { status: 500 }]);
    expect(await read()).toMatchObject({ reading: { n: 1, value: 0 } });
    expect(await read()).not.toMatchObject({ reading: { about: expect.anything() } });
    await runs([{ status: 500 }]);
    const about = 'capital fails: canary endpoint of support answered 500';
    expect(await read()).toEqual({ kind: 'reading', reading: { n: 1, value: 0, sd: null, about } });
    expect((await stored()).at(-1)).toMatchObject({
      output: null,
      deviates: false,
      error: 'canary endpoint of support answered 500',
    });
  });

  test('two failures in a row are a trouble that is told', async () => {
    configure();
    await runs(['Paris', { status: 500 }, { status: 500 }]);
    expect(await troublesNow(bench.db)).toEqual([]);
    await runCanaries(bench);
    const problem = '1 of 1 canaries of support fail: canary endpoint of support answered 500';
    expect(await troublesNow(bench.db)).toMatchObject([{ key: 'canaries:support', problem }]);
  });

  test('runs of a canary that is asked rarely count beyond a short window', async () => {
    configure({ every_minutes: 60 });
    await tick();
    bench.advance(60 * MINUTE_MS);
    await tick();
    const from = new Date(bench.clock.now().getTime() - 5 * MINUTE_MS);
    bench.advance(1_000);
    expect(await read({ from, to: bench.clock.now() })).toMatchObject({ reading: { n: 1, value: 0 } });
  });

  test('a canary that was never asked is no data, and others are not its business', async () => {
    configure();
    expect(await read()).toEqual({ kind: 'reading', reading: { n: 0, value: null, sd: null } });
    for (const changes of [
      { isBaseline: true },
      { service: 'other' },
      { environment: 'staging' },
      { measure: 'errors' as const },
    ]) {
      expect(await read(changes)).toEqual({ kind: 'unsupported' });
    }
  });

  test('the format of the service is asked from the first run on', async () => {
    const format = { pattern: '^\\[(Yes|No)\\]$' };
    configure({ prompts: [{ ...CAPITAL, compare: 'format' }] }, { format });
    await runs(['[Yes]', 'Yes, it is.']);
    expect((await stored()).map(({ deviates, detail }) => [deviates, detail])).toEqual([
      [false, null],
      [true, 'not in the format of the service'],
    ]);
  });
});
