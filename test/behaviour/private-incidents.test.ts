import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, textsOf } from '../harness/people.ts';

describe('a private incident', () => {
  let world: World;
  let room = '';
  beforeAll(async () => {
    world = await startWorld();
    room = (await declareIncident(world, `safety ${SERVICE} a name leaked`)).room;
  });
  afterAll(() => world.close());

  it('is not told to whoever reports the same thing, and their report reaches its room', async () => {
    const said = await ask(world, 'product', `declare sev3 safety ${SERVICE} I saw an address`);
    expect(said).toBe('What you said was added to a live private incident; its people were told.');
    await world.slack.waitFor('the report in the room', async () => {
      const notices = await textsOf(world, room, 'notice');
      return notices.some((text) => text.includes('Reported again: I saw an address')) || undefined;
    });
  });

  it('is in no list and in no status outside its room', async () => {
    expect(await ask(world, 'product', 'list')).toBe('No open incidents.');
    expect(await ask(world, 'product', 'status INC-1')).not.toContain('leaked');
    expect(await ask(world, 'oncall', 'status', room)).toContain('a name leaked');
  });
});
