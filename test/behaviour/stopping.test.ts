import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, TOKEN, type World } from '../harness/bot.ts';

describe('stopping the bot', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it('answers a request that is under way, and does not wait for its client to hang up', async () => {
    const agent = new Agent({ keepAlive: true });
    const body = '{"resourceSpans":[]}';
    const half = request(`${world.url}/v1/traces`, {
      method: 'POST',
      agent,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        'content-length': body.length,
        expect: '100-continue',
      },
    });
    const continued = once(half, 'continue');
    half.flushHeaders();
    await continued;
    const stopping = world.stopBot();
    half.end(body);
    const [answer] = await once(half, 'response');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    let stopped = false;
    void stopping.then(() => {
      stopped = true;
    });
    await world.slack
      .waitFor('the bot to have stopped', () => stopped, 20_000)
      .finally(() => agent.destroy());
    await stopping;
  });
});
