import type { FastifyInstance } from 'fastify';
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

describe("Portkey's webhook", () => {
  const ask = (content: unknown, more: object = {}) => ({
    eventType: 'afterRequestHook',
    request: { text: 'I am joe@shop.example', json: {} },
    response: {
      text: 'x',
      json: { id: 'c1', choices: [{ index: 0, message: { role: 'assistant', content } }] },
    },
    ...more,
  });
  const url = '/v1/check?format=portkey&service=bot';

  it('passes what may be delivered', async () => {
    const { post } = route();
    expect(await post(ask('Hello joe@shop.example'), url)).toEqual({
      status: 200,
      body: { verdict: true, data: { reasons: [] } },
    });
    expect((await post(ask(null), url)).body['verdict']).toBe(true);
  });

  it('gets the whole response back without what leaked', async () => {
    const { body } = await route().post(ask('It is jane@shop.example'), url);
    expect(body).toEqual({
      verdict: true,
      data: { reasons: ['safety.pii: email × 1'] },
      transformedData: {
        response: {
          json: {
            id: 'c1',
            choices: [{ index: 0, message: { role: 'assistant', content: 'It is [email]' } }],
          },
        },
      },
    });
  });

  it('fails what is blocked, and what leaks in a shape that cannot be changed', async () => {
    const { post } = route({ bot: settings({ blocked: ['secret plan'] }) });
    expect((await post(ask('The secret plan'), url)).body['verdict']).toBe(false);
    const parts = ask([{ type: 'text', text: 'hi' }], { response: { json: {}, text: 'jane@shop.example' } });
    expect((await post(parts, url)).body['verdict']).toBe(false);
  });

  it('passes what goes to the model, and may name the service in its metadata', async () => {
    const { post, counts } = route();
    expect((await post(ask('x', { eventType: 'beforeRequestHook' }), url)).body['verdict']).toBe(true);
    expect(counts.take()).toEqual([]);
    const named = ask('x', { metadata: { service: 'bot2', environment: 'staging' } });
    expect((await post(named, '/v1/check?format=portkey')).status).toBe(200);
    expect(counts.take()).toMatchObject([{ service: 'bot2', environment: 'staging' }]);
    const unnamed = await post(ask('x'), '/v1/check?format=portkey');
    expect(unnamed).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^service: /) } });
  });
});

describe("LiteLLM's generic guardrail", () => {
  const url = '/v1/check/beta/litellm_basic_guardrail_api';
  const ask = (texts: string[], type = 'response') => ({
    texts,
    input_type: type,
    request_data: {},
    additional_provider_specific_params: { service: 'bot' },
  });

  it('gets each text back as it may be delivered', async () => {
    const { post } = route();
    expect((await post(ask(['fine']), url)).body).toEqual({ action: 'NONE' });
    expect((await post(ask(['fine', 'jane@shop.example']), url)).body).toEqual({
      action: 'GUARDRAIL_INTERVENED',
      texts: ['fine', '[email]'],
    });
  });

  it('is told what is blocked, and why', async () => {
    const { post } = route({ bot: settings({ blocked: ['secret plan'] }) });
    expect((await post(ask(['fine', 'the secret plan']), url)).body).toEqual({
      action: 'BLOCKED',
      blocked_reason: 'blocked class × 1',
    });
  });

  it('is not asked about requests, and must name the service', async () => {
    const { post } = route();
    expect((await post(ask(['jane@shop.example'], 'request'), url)).body).toEqual({ action: 'NONE' });
    const answer = await post({ ...ask(['x']), additional_provider_specific_params: {} }, url);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^additional_provider_specific_params\.service: /) },
    });
  });
});
