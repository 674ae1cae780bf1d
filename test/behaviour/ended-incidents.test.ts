import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

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

  it('names what a false alarm leaves on, to whoever ends it and in the room', async () => {
    const { room } = await declareIncident(world, `sev3 quality ${SERVICE} not so`);
    const proposal = await proposeIn(world, room, { wanted: 'disable' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room, key: keyOf(proposal) ?? '' }, 'Applied');
    const on = `${(keyOf(proposal) ?? '').replace(':', ' ').replace('proposal', 'mitigation')} (disable the feature)`;
    expect(await ask(world, 'oncall', 'decline nothing was wrong', room)).toContain(
      `Still on, until somebody takes it back: ${on}`,
    );
    await world.slack.waitFor('the notice', async () =>
      (await textsOf(world, room, 'notice')).find((text) => text.includes(`takes it back: ${on}`)),
    );
  });

  it('has paged nobody', async () => {
    await world.slack.idle();
    expect(world.pagerduty.incidents).toEqual([]);
  });
});
