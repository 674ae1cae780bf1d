import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened } from '../harness/people.ts';

describe('an incident that has ended', () => {
  let world: World;
  let opened: Opened;
  beforeAll(async () => {
    world = await startWorld();
    opened = await declareIncident(world, `sev3 quality ${SERVICE} over soon`);
    expect(await ask(world, 'oncall', 'decline nothing was wrong', opened.room)).toContain('declined');
  });
  afterAll(() => world.close());

  it.each([
    ['severity sev1', 'is declined; nothing was changed'],
    ['page', 'is declined; nobody is paged for it'],
    ['contain switched off', 'is declined; nothing was changed'],
    ['mitigate disable', 'The incident is declined'],
    ['resolve', 'is declined; it cannot be resolved'],
  ])('answers "%s" and changes nothing', async (command, answer) => {
    expect(await ask(world, 'oncall', command, opened.room)).toContain(answer);
  });

  it('has paged nobody', async () => {
    await world.slack.idle();
    expect(world.pagerduty.incidents).toEqual([]);
  });
});
