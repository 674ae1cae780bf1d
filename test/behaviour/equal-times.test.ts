import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { startWorld, TOKEN, type World } from '../harness/bot.ts';
import { callsWith } from '../harness/exact-calls.ts';
import { ask } from '../harness/people.ts';

describe('calls that all end in the same millisecond', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const send = async (n: number, at: Date) => {
    const calls = callsWith(at, { service: 'batch', n, good: n });
    const same = calls.map((call) => ({ ...call, startedAt: at, endedAt: at }));
    await sendCalls({ url: world.url, token: TOKEN }, same);
    await world.advance(0);
  };

  it('are observed, and so are those that come later with the same time', async () => {
    const at = new Date((await world.now()).getTime() - 1_000);
    await send(1, new Date(at.getTime() - 60_000));
    await send(2_500, at);
    await send(1, at);
    expect(await ask(world, 'oncall', 'list')).toBe('No open incidents.');
    await world.stopBot();
    const { db, close } = await world.database.open();
    const { n } = await db
      .selectFrom('call')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow();
    await close();
    expect(n).toBe(2_502);
  });
});
