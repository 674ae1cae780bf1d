import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened, press, proposeIn, roomWith, textWith } from '../harness/people.ts';
import { keyOf, roomsOf } from '../harness/room.ts';

/** Longest that the bot waits before a request of a run that died can no longer land, with time for the rest. */
const AFTER_A_LOST_REQUEST_MS = 40_000;

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('a bot that is killed', () => {
  let world: World;
  let child: ChildProcess;
  beforeAll(async () => {
    world = await startWorld({ start: false });
    child = await world.spawn();
  });
  afterAll(() => world.close());

  const proposedIn = (incident: Opened): Promise<SlackMessage> => {
    const other = world.service.state().prompt === 'v13' ? 'v12' : 'v13';
    return proposeIn(world, incident.room, { wanted: `prompt answer=${other}` });
  };
  const posted = async (incident: Opened, key: string): Promise<number> =>
    (await world.slack.messages(incident.room)).filter((one) => keyOf(one) === key).length;
  const restarted = async () => {
    child = await world.spawn();
  };
  const ended = (incident: Opened) => ask(world, 'oncall', 'decline end of the test', incident.room);

  it('carries an approved plan out once when it died before it sent anything', { timeout: 90_000 }, async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} before`);
    const proposal = await proposedIn(incident);
    const effects = world.service.effects.length;
    const asked = world.service.requests.length;
    world.service.fault({ kind: 'hang', method: 'GET' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await world.slack.waitFor('the read that hangs', () => world.service.requests.at(asked));
    await kill(child);
    expect(world.service.effects).toHaveLength(effects);
    await restarted();
    const where = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    await textWith(world, where, 'Read-back: v');
    expect(world.service.effects).toHaveLength(effects + 1);
    expect(await posted(incident, where.key)).toBe(1);
    await ended(incident);
  });

  it('sends nothing twice when it died after the target had made the change', { timeout: 90_000 }, async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} after`);
    const proposal = await proposedIn(incident);
    const effects = world.service.effects.length;
    world.service.fault({ kind: 'hang', method: 'GET', times: 1_000 });
    world.service.clearFaults();
    const holding = holdReadBacksAfterTheChange(world);
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await world.slack.waitFor('the effect', () => world.service.effects.at(effects));
    await holding;
    await kill(child);
    world.service.clearFaults();
    await restarted();
    const where = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    await textWith(world, where, 'Read-back: v');
    expect(world.service.effects).toHaveLength(effects + 1);
    expect(await posted(incident, where.key)).toBe(1);
    await ended(incident);
  });

  it('does not repeat a request that may still land', { timeout: 90_000 }, async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} under way`);
    const proposal = await proposedIn(incident);
    const effects = world.service.effects.length;
    world.service.fault({ kind: 'hang', method: 'POST' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    const sent = () => world.service.requests.filter(({ method }) => method === 'POST');
    const before = sent().length;
    await world.slack.waitFor('the change that hangs', () => (sent().at(-1)?.status === 0 ? true : undefined));
    await kill(child);
    await restarted();
    const where = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    await world.slack.waitFor(
      'the receipt',
      () => textWith(world, where, 'Read-back: v').catch(() => undefined),
      AFTER_A_LOST_REQUEST_MS,
    );
    expect(world.service.effects).toHaveLength(effects + 1);
    const keys = new Set(sent().slice(Math.max(0, before - 1)).map(({ key }) => key));
    expect(keys.size).toBe(1);
    expect(await posted(incident, where.key)).toBe(1);
    await ended(incident);
  });

  it('opens one room when it died while Slack was asked for it', { timeout: 90_000 }, async () => {
    const rooms = (await roomsOf(world)).length;
    world.slack.fault({ method: 'conversations.create', kind: 'hang' });
    const said = await ask(world, 'oncall', 'declare sev3 cost asked for a room');
    const id = Number(/INC-(\d+)/.exec(said)?.[1]);
    await world.slack.waitFor('the call that hangs', () => hungCall(world));
    await kill(child);
    await restarted();
    const room = await roomWith(world, `card:${id}`);
    expect(await roomsOf(world)).toHaveLength(rooms + 1);
    expect(await posted({ id, room }, `card:${id}`)).toBe(1);
    await ended({ id, room });
  });

  it('finds the room again that it had made and not yet written down', { timeout: 90_000 }, async () => {
    const rooms = (await roomsOf(world)).length;
    world.slack.fault({ method: 'conversations.create', kind: 'reset' });
    world.slack.fault({ method: 'conversations.create', kind: 'hang', times: 50 });
    const said = await ask(world, 'oncall', 'declare sev3 cost made a room');
    const id = Number(/INC-(\d+)/.exec(said)?.[1]);
    await world.slack.waitFor('the room', async () =>
      (await roomsOf(world)).length === rooms + 1 ? true : undefined,
    );
    await kill(child);
    world.slack.clearFaults();
    await restarted();
    const room = await roomWith(world, `card:${id}`);
    expect(await roomsOf(world)).toHaveLength(rooms + 1);
    expect(await posted({ id, room }, `card:${id}`)).toBe(1);
    await ended({ id, room });
  });

  it('takes up a command that it had accepted and not finished', { timeout: 90_000 }, async () => {
    const incident = await declareIncident(world, `sev3 outage ${SERVICE} half a command`);
    const effects = world.service.effects.length;
    world.service.fault({ kind: 'hang', method: 'GET' });
    const asked = world.service.requests.length;
    const other = world.service.state().prompt === 'v13' ? 'v12' : 'v13';
    const typed = world.slack.as('oncall').command(`mitigate prompt answer=${other}`, { channel: incident.room });
    await world.slack.waitFor('the read that hangs', () => world.service.requests.at(asked));
    await kill(child);
    await typed;
    await restarted();
    const proposal = await world.slack.waitFor(
      'the proposal',
      async () => (await world.slack.messages(incident.room)).find((one) => keyOf(one)?.startsWith('proposal:')),
      30_000,
    );
    expect(world.service.effects).toHaveLength(effects);
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(proposal) ?? '' }, 'Applied');
    const proposals = (await world.slack.messages(incident.room)).filter((one) => keyOf(one)?.startsWith('proposal:'));
    expect(proposals).toHaveLength(1);
    await ended(incident);
  });

  it('ends with code 0 on SIGTERM and loses nothing that it had taken', { timeout: 90_000 }, async () => {
    const said = await ask(world, 'oncall', 'declare sev3 cost asked just before the end');
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await gone).toEqual([0, null]);
    await restarted();
    const id = Number(/INC-(\d+)/.exec(said)?.[1]);
    const room = await roomWith(world, `card:${id}`);
    expect(await posted({ id, room }, `card:${id}`)).toBe(1);
  });
});

function hungCall(world: World): true | undefined {
  return world.slack.callsOf('conversations.create').at(-1)?.status === 0 ? true : undefined;
}

/** From the moment of the change on, every read-back hangs. */
async function holdReadBacksAfterTheChange(world: World): Promise<void> {
  const effects = world.service.effects.length;
  await world.slack.waitFor('the change', () => world.service.effects.at(effects));
  world.service.fault({ kind: 'hang', method: 'GET', times: 1_000 });
}
