import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelEndpoint, startModelEndpoint } from '../../test/harness/model-endpoint.ts';
import { rehearsal } from '../config/rehearsal.ts';
import { type ReplayCall, type Replayed, type ReplayRun, replayThrough } from './replay-through.ts';
import { replayEndpoint } from './targets/replay-endpoint.ts';

let model: ModelEndpoint;
beforeAll(async () => {
  model = await startModelEndpoint();
});
afterAll(() => model.close());

const calls = Array.from(
  { length: 6 },
  (_, id): ReplayCall => ({
    id,
    input: `question ${id}`,
    promptName: 'answer',
    parameters: {},
    expectedUsd: 0.5,
  }),
);
const candidate = { prompts: { answer: 'v13' }, model: null };

const replay = async (changes: Partial<ReplayRun> = {}) => {
  const config = rehearsal.parse({
    type: 'webhook',
    url: `${model.url}/r`,
    secret: 's',
    allow_private: true,
  });
  const endpoint = replayEndpoint(config, { service: 'bot', environment: 'production', texts: new Map() });
  const told: Replayed[] = [];
  const settled: number[] = [];
  const { endedEarly, replayed } = await replayThrough(endpoint, {
    ...{ calls, candidate, signal: new AbortController().signal },
    budget: { take: async () => true, settle: async (costUsd) => void settled.push(costUsd) },
    onReplayed: async (one) => void told.push(one),
    ...changes,
  });
  expect(told).toEqual(replayed);
  return { ended: endedEarly, replayed, settled };
};

describe('replaying through an endpoint', () => {
  test('tells-of-each-call-once-and-what-it-really-cost', async () => {
    model.answerWith(() => ({ status: 200, body: { output: 'fine', cost_usd: 0.7 } }));
    const { ended, replayed, settled } = await replay();
    expect(ended).toBeNull();
    expect(replayed.map(({ call }) => call.id).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(settled).toEqual(Array(6).fill(0.7));
  });

  test('has-no-more-on-its-way-than-it-may', async () => {
    let running = 0;
    let most = 0;
    model.answerWith(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return { status: 200, body: { output: 'fine' } };
    });
    await replay({ concurrency: 2 });
    expect(most).toBeLessThanOrEqual(2);
  });

  test('a-call-that-takes-too-long-has-timed-out-and-the-others-go-on', async () => {
    const held: (() => void)[] = [];
    model.answerWith(async ({ body }) => {
      if (body['input'] === 'question 2') await new Promise<void>((resolve) => held.push(resolve));
      return { status: 200, body: { output: 'fine' } };
    });
    const { ended, replayed } = await replay({ timeoutMs: 1_000 });
    for (const release of held) release();
    expect(ended).toBeNull();
    expect(replayed.find(({ call }) => call.id === 2)).toMatchObject({
      kind: 'timed-out',
      problem: 'it gave no answer within 1 s',
    });
    expect(replayed.filter(({ kind }) => kind === 'answered')).toHaveLength(5);
  });

  test('a-signal-takes-back-what-is-on-its-way-and-counts-it-as-not-sent', async () => {
    const stop = new AbortController();
    const held: (() => void)[] = [];
    model.answerWith(async ({ body }) => {
      if (body['input'] === 'question 3') {
        stop.abort();
        await new Promise<void>((resolve) => held.push(resolve));
      }
      return { status: 200, body: { output: 'fine' } };
    });
    const { ended, replayed } = await replay({ signal: stop.signal, concurrency: 1 });
    for (const release of held) release();
    expect(ended).toBe('time');
    expect(replayed.map(({ call }) => call.id)).toEqual([0, 1, 2]);
  });

  test('what-fails-in-our-own-code-is-loud-and-ends-it', async () => {
    model.answerWith(() => ({ status: 200, body: { output: 'fine' } }));
    const onReplayed = async () => {
      throw new Error('the database is away');
    };
    await expect(replay({ onReplayed })).rejects.toThrow('the database is away');
  });

  test('an-endpoint-that-redirects-is-not-followed', async () => {
    model.answerWith(() => ({ status: 307, headers: { location: `${model.url}/elsewhere` } }));
    const { replayed } = await replay({ calls: calls.slice(0, 1) });
    expect(replayed).toMatchObject([{ kind: 'failed', problem: 'it answered 307' }]);
    expect(model.requests.some(({ path }) => path === '/elsewhere')).toBe(false);
  });
});
