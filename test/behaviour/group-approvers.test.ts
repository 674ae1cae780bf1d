import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  membersWith,
  type Opened,
  press,
  proposeIn,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';
import { type SlackGate, standBefore } from '../harness/slack-gate.ts';

const GROUP = 'S0APPROVERS';

describe('a user group as approver', () => {
  let world: World;
  let gate: SlackGate;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured(async (config, starting) => {
      gate = await standBefore(starting);
      gate.groups.set(GROUP, [starting.slack.userId('approver'), starting.slack.userId('product')]);
      const service = config.services[SERVICE];
      if (service) service.approvers = [GROUP];
    });
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
  });
  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const proposed = () => {
    const other = world.service.state().prompt === 'v13' ? 'v12' : 'v13';
    return proposeIn(world, incident.room, { wanted: `prompt answer=${other}` });
  };

  it('names the group on the proposal and invites its members', async () => {
    const text = blocksText(await proposed());
    expect(text).toContain(`May approve: <@${world.slack.userId('lead')}>, <!subteam^${GROUP}>`);
    const members = await membersWith(world, incident.room, ['lead', 'approver', 'product', 'oncall']);
    expect(members).not.toContain(world.slack.userId('comms'));
  });

  it('lets a member approve', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    expect(await press(world, 'product', { on: proposal, action: 'approve' })).toContain('Approved');
    await textWith(world, { room: incident.room, key: keyOf(proposal) ?? '' }, 'Applied');
    expect(world.service.effects).toHaveLength(before + 1);
  });

  it('refuses somebody who left the group between proposal and click', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    gate.groups.set(GROUP, [world.slack.userId('approver')]);
    const said = await press(world, 'product', { on: proposal, action: 'approve' });
    expect(said).toContain('You may not decide this.');
    expect(said).toContain(`<@${world.slack.userId('approver')}>`);
    expect(said).not.toContain(world.slack.userId('product'));
    await world.advance(0);
    expect(world.service.effects).toHaveLength(before);
  });

  it('lets nobody approve by a group that cannot be read, except who is named besides', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    gate.groups.delete(GROUP);
    expect(await press(world, 'approver', { on: proposal, action: 'approve' })).toContain(
      'You may not decide this.',
    );
    expect(world.service.effects).toHaveLength(before);
    expect(await press(world, 'lead', { on: proposal, action: 'approve' })).toContain('Approved');
    await textWith(world, { room: incident.room, key: keyOf(proposal) ?? '' }, 'Applied');
    expect(world.service.effects).toHaveLength(before + 1);
  });
});
