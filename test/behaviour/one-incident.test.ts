import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../harness/bot.ts';
import { sendBaseline, sendMinutes } from '../harness/traffic.ts';

describe('one incident, from a silent model change to the post-mortem', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  let room = '';
  const card = async () => (await world.slack.messages(room)).find((m) => m.blocks?.[0]?.['block_id'] === 'card:1');

  it('opens one room when the score falls, with what changed on the card', async () => {
    await sendBaseline(world);
    expect((await world.slack.channels()).filter((c) => c.name?.startsWith('inc-'))).toEqual([]);
    world.service.silentModelChange();
    await sendMinutes(world, { minutes: 12, callsPerMinute: 20 });
    const channel = await world.slack.waitFor('a room', async () =>
      (await world.slack.channels()).find((c) => c.name?.startsWith('inc-')),
    );
    room = channel.id;
    await world.slack.waitFor('a card', card);
    const text = JSON.stringify((await card())?.blocks);
    expect(text).toContain('SEV1 quality');
    expect(text).toContain('gpt-4-0314 → gpt-4-0613');
    expect(text).toContain('model gpt-4-0314');
  });
});
