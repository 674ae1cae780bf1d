import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { exampleCheckRoute, checkSettings as settings } from './example-check-route.ts';

const opened: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

function route(...given: Parameters<typeof exampleCheckRoute>) {
  const example = exampleCheckRoute(...given);
  opened.push(example.server);
  return example;
}

interface Classifier {
  url: string;
  asked: { body: unknown; authorization: string | undefined }[];
}

async function classifierThat(answers: (server: FastifyInstance) => void): Promise<Classifier> {
  const server = fastify();
  opened.push(server);
  const asked: Classifier['asked'] = [];
  server.addHook('preHandler', async ({ body, headers }) => {
    asked.push({ body, authorization: headers.authorization });
  });
  answers(server);
  await server.listen({ port: 0, host: '127.0.0.1' });
  return { url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/classify`, asked };
}

const saying = (answer: object, status = 200) =>
  classifierThat((server) => server.post('/classify', (_, reply) => reply.code(status).send(answer)));
const silent = () => classifierThat((server) => server.post('/classify', () => new Promise(() => undefined)));

describe('an output', () => {
  it('that is harmless is allowed', async () => {
    const { post } = route();
    const answer = await post({
      service: 'bot',
      output: 'Your parcel left today.',
      user: 'u1',
      prompt_version: 'v3',
    });
    expect(answer).toEqual({ status: 200, body: { verdict: 'allow', reasons: [] } });
  });

  it('with personal data is handed back without it, by the rules that hold for any service', async () => {
    const { post } = route();
    const answer = await post({ service: 'unknown', output: 'Ask jane@shop.example.' });
    expect(answer.body).toEqual({
      verdict: 'redact',
      output: 'Ask [email].',
      reasons: ['safety.pii: email × 1'],
    });
  });

  it('with what the user typed is allowed', async () => {
    const { post } = route();
    const answer = await post({
      service: 'bot',
      input: 'I am jane@shop.example',
      output: 'Hello jane@shop.example',
    });
    expect(answer.body['verdict']).toBe('allow');
  });

  it('with a policy word is blocked and not handed back', async () => {
    const { post } = route({ bot: settings({}, { policy_words: ['nightingale'] }) });
    const { body } = await post({ service: 'bot', output: 'Nightingale: jane@shop.example' });
    expect(body).toEqual({
      verdict: 'block',
      reasons: ['safety.pii: email × 1', 'safety.policy: configured × 1'],
    });
  });

  it('is treated as its service wants it', async () => {
    const { post } = route({
      strict: settings({ pii: 'block' }),
      lax: settings({ pii: 'allow', policy: 'redact' }, { policy_words: ['nightingale'] }),
    });
    const output = 'Nightingale: jane@shop.example';
    expect((await post({ service: 'strict', output })).body['verdict']).toBe('block');
    expect((await post({ service: 'lax', output })).body).toEqual({
      verdict: 'redact',
      output: '[removed]: jane@shop.example',
      reasons: ['safety.pii: email × 1', 'safety.policy: configured × 1'],
    });
  });

  it('of a blocked class is blocked, from the moment on which the class is', async () => {
    const blocked: string[] = [];
    const { post } = route({ bot: settings({ blocked: ['legal advice'] }) }, () => blocked);
    const legal = { service: 'bot', output: 'As legal advice: sue them.' };
    const medical = { service: 'bot', output: 'As medical advice: rest.' };
    expect((await post(legal)).body).toEqual({ verdict: 'block', reasons: ['blocked class × 1'] });
    expect((await post(medical)).body['verdict']).toBe('allow');
    blocked.push('medical advice');
    expect((await post(medical)).body['verdict']).toBe('block');
    expect((await post(legal)).body['verdict']).toBe('block');
    blocked.pop();
    expect((await post(medical)).body['verdict']).toBe('allow');
  });
});

describe('a classifier', () => {
  it('may block what the rules let through, and never sees the personal data', async () => {
    const classifier = await saying({ verdict: 'block', reason: 'asks for bank details' });
    const { post } = route({ bot: settings({ classifier: { url: classifier.url, token: 'secret' } }) });
    const { body } = await post({ service: 'bot', output: 'Write to jane@shop.example' });
    expect(body).toEqual({
      verdict: 'block',
      reasons: ['safety.pii: email × 1', 'safety.classifier: asks for bank details'],
    });
    expect(classifier.asked).toEqual([
      {
        body: { service: 'bot', environment: 'production', output: 'Write to [email]' },
        authorization: 'Bearer secret',
      },
    ]);
  });

  it('is not asked about what is blocked already', async () => {
    const classifier = await saying({ verdict: 'allow' });
    const { post } = route({ bot: settings({ classifier: { url: classifier.url }, blocked: ['x'] }) });
    expect((await post({ service: 'bot', output: 'x' })).body['verdict']).toBe('block');
    expect((await post({ service: 'bot', output: 'y' })).body['verdict']).toBe('allow');
    expect(classifier.asked).toHaveLength(1);
  });

  it.each([
    ['does not answer', silent],
    ['answers 500', () => saying({ verdict: 'block' }, 500)],
    ['answers something else', () => saying({ label: 'fine' })],
    ['answers without end', () => saying({ verdict: 'allow', reason: 'x'.repeat(200_000) })],
  ])('that %s lets outputs through or holds them back, as configured', async (_, start) => {
    const { url } = await start();
    const classifier = { url, timeout_ms: 100 };
    const { post } = route({
      open: settings({ classifier }),
      closed: settings({ classifier, on_failure: 'closed' }),
    });
    expect((await post({ service: 'open', output: 'hi' })).body).toEqual({
      verdict: 'allow',
      reasons: ['classifier: did not answer, let through'],
    });
    expect((await post({ service: 'closed', output: 'hi' })).body).toEqual({
      verdict: 'block',
      reasons: ['classifier: did not answer, held back'],
    });
  });

  it('that takes longer than the whole answer may is not waited for', async () => {
    const { url } = await silent();
    const { post } = route({ bot: settings({ classifier: { url, timeout_ms: 3_600_000 } }) });
    expect((await post({ service: 'bot', output: 'hi' })).body['verdict']).toBe('allow');
  });
});

describe('a check that fails', () => {
  it('lets outputs through or holds them back, as configured', async () => {
    const { post } = route({ open: settings(), closed: settings({ on_failure: 'closed' }) }, () => {
      throw new Error('no such list');
    });
    expect((await post({ service: 'open', output: 'hi' })).body).toEqual({
      verdict: 'allow',
      reasons: ['check: failed, let through'],
    });
    expect((await post({ service: 'closed', output: 'hi' })).body['verdict']).toBe('block');
  });
});

describe('a request', () => {
  it.each([
    ['not json', /^body: not valid JSON/],
    [[], /^body: /],
    [{ output: 'x' }, /^service: /],
    [{ service: '', output: 'x' }, /^service: /],
    [{ service: 'bot' }, /^output: /],
    [{ service: 'bot', output: 7 }, /^output: /],
    [{ service: 'bot', output: 'x'.repeat(40_001) }, /^output: must have at most 40000 characters/],
    [{ service: 'bot', output: 'x', environment: 3 }, /^environment: /],
  ])('that is wrong is refused with the field', async (body, problem) => {
    const answer = await route().post(body);
    expect(answer.status).toBe(400);
    expect(answer.body['error']).toMatch(problem);
  });

  it('without a token is refused', async () => {
    const { post } = route();
    expect((await post({ service: 'bot', output: 'x' }, '/v1/check', 'Bearer other')).status).toBe(401);
    expect((await post({}, '/v1/check/beta/litellm_basic_guardrail_api', '')).status).toBe(401);
  });

  it('is counted by what decided it', async () => {
    const { post, counts } = route();
    await post({ service: 'bot', output: 'fine' });
    await post({ service: 'bot', output: 'fine' });
    await post({ service: 'bot', environment: 'staging', output: 'jane@shop.example' });
    await post({ service: 'bot' });
    const minute = new Date('2026-03-01T10:00:00Z');
    expect(counts.take()).toEqual([
      { service: 'bot', environment: 'production', verdict: 'allow', reason: 'none', minute, n: 2 },
      { service: 'bot', environment: 'staging', verdict: 'redact', reason: 'pii', minute, n: 1 },
    ]);
  });
});
