import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../plan.ts';
import type { Target } from '../target.ts';
import { webhookTarget } from './webhook.ts';

let server: Server;
let target: Target;
let said: object = {};
const bodies: Record<string, unknown>[] = [];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    if (request.method === 'POST') bodies.push(JSON.parse(body));
    response.end(JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/control`;
  target = webhookTarget(
    { type: 'webhook', url, secret: 'shared', allow_private: true },
    { service: 'answers', environment: 'production' },
  );
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test.each<[Step, object]>([
  [
    { setting: 'prompt:answer', from: 'v14', to: 'v13' },
    { action: 'prompt', prompt_name: 'answer', from: 'v14', to: 'v13' },
  ],
  [
    { setting: 'prompt', from: 'v14', to: 'v13' },
    { action: 'prompt', from: 'v14', to: 'v13' },
  ],
  [
    { setting: 'model', from: 'a', to: 'b' },
    { action: 'model', from: 'a', to: 'b' },
  ],
  [
    { setting: 'enabled', from: true, to: false },
    { action: 'disable', from: true, to: false },
  ],
  [
    { setting: 'enabled', from: false, to: true },
    { action: 'enable', from: false, to: true },
  ],
  [
    { setting: 'fallback', from: 'none', to: 'notice' },
    { action: 'fallback', from: 'none', to: 'notice' },
  ],
  [
    { setting: 'limit:user u-7', from: null, to: 10 },
    { action: 'limit', subject: 'user u-7', from: null, to: 10 },
  ],
  [
    { setting: 'token-cap', from: null, to: 500 },
    { action: 'token-cap', from: null, to: 500 },
  ],
])('asks for %o as the README says', async (step, wanted) => {
  await target.apply(step, { planHash: 'f'.repeat(64), idempotencyKey: 'k' });
  expect(bodies.at(-1)).toEqual({
    service: 'answers',
    environment: 'production',
    plan_hash: 'f'.repeat(64),
    ...wanted,
  });
});

test('reads-every-kind-of-setting-back', async () => {
  said = {
    prompt: { answer: 'v13', title: 'v2' },
    model: 'gpt-4',
    enabled: true,
    fallback: 'none',
    limits: { 'user u-7': 10 },
    disclaimer: null,
    split: { 'gpt-4o': 25 },
    types: { billing: false },
    blocked: ['refund'],
    token_cap: 500,
  };
  expect(await target.read()).toEqual({
    'prompt:answer': 'v13',
    'prompt:title': 'v2',
    model: 'gpt-4',
    enabled: true,
    fallback: 'none',
    'limit:user u-7': 10,
    'split:gpt-4o': 25,
    'type:billing': false,
    'blocked:refund': true,
    'token-cap': 500,
  });
});

test.each([
  ['v13', { prompt: 'v13' }],
  ['answer=v13', { 'prompt:answer': 'v13' }],
  [{ name: 'answer', version: 'v13' }, { 'prompt:answer': 'v13' }],
  [{ '': 'v13' }, { prompt: 'v13' }],
])('reads the prompt %o', async (prompt, wanted) => {
  said = { prompt };
  expect(await target.read()).toEqual(wanted);
});
