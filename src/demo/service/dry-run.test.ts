import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../loopback-server.ts';
import { createDryRun } from './dry-run.ts';
import { controlSignature } from './simulated-control.ts';

let server: LoopbackServer;
beforeAll(async () => {
  const dryRun = createDryRun({ service: 'support-answers', secret: 's' });
  server = await listenOnLoopback(async (request, response, raw) => dryRun(request, response, raw));
});
afterAll(() => server.close());

const ask = async (changes: object = {}, secret = 's') => {
  const body = JSON.stringify({
    ...{ service: 'support-answers', environment: 'production', dry_run: true },
    ...{ input: 'Is 1723 a prime number?', prompt: { name: 'answer', version: 'v13' }, model: 'gpt-4-0314' },
    ...changes,
  });
  const answer = await fetch(server.url, { method: 'POST', body, headers: controlSignature(secret, body) });
  return { status: answer.status, body: (await answer.json()) as { output: string; score: number } };
};

describe('the dry run of the simulated service', () => {
  test('answers-the-same-question-alike-and-scores-the-answer', async () => {
    const first = await ask();
    expect(first).toMatchObject({ status: 200, body: { output: expect.stringContaining('1723') } });
    expect(await ask()).toEqual(first);
  });

  test('is-right-more-often-as-the-model-of-march-than-as-that-of-june', async () => {
    const primes = [1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093];
    const right = async (model: string) => {
      const answers = await Promise.all(primes.map((n) => ask({ model, input: `Is ${n} a prime number?` })));
      return answers.filter(({ body }) => body.score === 1).length;
    };
    expect(await right('gpt-4-0314')).toBeGreaterThan((await right('gpt-4-0613')) + 8);
  });

  test.each<[string, object, string, number]>([
    ['a foreign signature', {}, 'another', 401],
    ['a call that is no dry run', { dry_run: false }, 's', 422],
    ['a version that it does not have', { prompt: { name: 'answer', version: 'v99' } }, 's', 422],
    ['a model that it does not have', { model: 'gpt-9' }, 's', 422],
    ['another service', { service: 'other' }, 's', 404],
  ])('refuses %s', async (...[, changes, secret, status]) => {
    expect((await ask(changes, secret)).status).toBe(status);
  });
});
