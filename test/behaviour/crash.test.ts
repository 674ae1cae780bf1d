import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  AFTER_A_CRASH_MS,
  ask,
  declareIncident,
  type Opened,
  press,
  proposeIn,
  roomWith,
  textWith,
} from '../harness/people.ts';
import { keyOf, roomsOf } from '../harness/room.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

describe('a bot that is killed', { timeout: 120_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let child: ChildProcess;
  beforeAll(async () => {
    gate = await startTargetGate(() => world.service.controlUrl);
    world = await startConfigured((config) => {
      const target = config.services[SERVICE]?.target;
      if (target) target.url = gate.url;
    });
    child = await world.spawn();
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
  });

  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    child = await world.spawn();
  };
  const other = () => (world.service.state().prompt === 'v13' ? 'v12' : 'v13');
  const proposed = (incident: Opened) =>
    proposeIn(world, incident.room, { wanted: `prompt answer=${other()}` });
  const posted = async (incident: Opened, key: string): Promise<number> =>
    (await world.slack.messages(incident.room)).filter((one) => keyOf(one) === key).length;
  const ended = (incident: Opened) => ask(world, 'oncall', 'decline end of the test', incident.room);
  const changes = () => gate.requests.filter(({ method }) => method === 'POST');

  /** The run has ended well, with one receipt, and the target was changed once. */
  const ranOnce = async (incident: Opened, run: { proposal: SlackMessage; effectsBefore: number }) => {
    const key = (keyOf(run.proposal) ?? '').replace('proposal', 'receipt');
    await textWith(world, { room: incident.room, key }, 'Read-back: v', AFTER_A_CRASH_MS);
    await textWith(
      world,
      { room: incident.room, key: keyOf(run.proposal) ?? '' },
      'Applied',
      AFTER_A_CRASH_MS,
    );
    expect(world.service.effects).toHaveLength(run.effectsBefore + 1);
    expect(await posted(incident, key)).toBe(1);
    await ended(incident);
  };

  it('carries an approved plan out once when it died before it sent anything', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} before`);
    const proposal = await proposed(incident);
    const effectsBefore = world.service.effects.length;
    // The click reads the target first, then the run does.
    gate.next('GET', { kind: 'none' });
    gate.next('GET', { kind: 'hold-request' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await gate.held();
    await kill();
    expect(world.service.effects).toHaveLength(effectsBefore);
    await start();
    gate.release();
    await ranOnce(incident, { proposal, effectsBefore });
  });

  it('sends nothing again when it died after the change and before the answer', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} after`);
    const proposal = await proposed(incident);
    const effectsBefore = world.service.effects.length;
    const sentBefore = changes().length;
    gate.next('POST', { kind: 'hold-answer' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await gate.held();
    await kill();
    gate.release();
    await start();
    await ranOnce(incident, { proposal, effectsBefore });
    expect(changes()).toHaveLength(sentBefore + 1);
  });

  it('sends nothing again when it died between the change and the record of it', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} unrecorded`);
    const proposal = await proposed(incident);
    const effectsBefore = world.service.effects.length;
    const sentBefore = changes().length;
    gate.next('POST', { kind: 'hold-answer' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await gate.held();
    gate.next('GET', { kind: 'hold-answer' });
    gate.release();
    await gate.held();
    await kill();
    gate.release();
    await start();
    await ranOnce(incident, { proposal, effectsBefore });
    expect(changes()).toHaveLength(sentBefore + 1);
  });

  it('waits out a request that may still land, and repeats it under the same key', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} under way`);
    const proposal = await proposed(incident);
    const effectsBefore = world.service.effects.length;
    gate.next('POST', { kind: 'hold-request' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await gate.held();
    await kill();
    await start();
    gate.release();
    await ranOnce(incident, { proposal, effectsBefore });
    const keys = world.service.requests.filter(({ method }) => method === 'POST').map(({ key }) => key);
    expect(new Set(keys).size).toBe(world.service.effects.length);
  });
});

describe('a bot that is killed while it opens a room', { timeout: 120_000 }, () => {
  let world: World;
  let child: ChildProcess;
  beforeAll(async () => {
    world = await startConfigured(() => undefined);
    child = await world.spawn();
  });
  afterAll(() => world.close());

  const killAndStart = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    world.slack.clearFaults();
    child = await world.spawn();
  };
  const declared = async (text: string) => {
    const said = await ask(world, 'oncall', `declare sev3 cost ${text}`);
    return Number(/INC-(\d+)/.exec(said)?.[1]);
  };
  const hasOneRoomAndCard = async (id: number, roomsBefore: number) => {
    const room = await roomWith(world, `card:${id}`, AFTER_A_CRASH_MS);
    expect(await roomsOf(world)).toHaveLength(roomsBefore + 1);
    const keys = (await world.slack.messages(room)).map(keyOf);
    expect(keys.filter((key) => key === `card:${id}`)).toHaveLength(1);
  };

  it('opens one room when it died before Slack had made it', async () => {
    const before = (await roomsOf(world)).length;
    world.slack.fault({ method: 'conversations.create', kind: 'hang' });
    const id = await declared('asked for a room');
    await world.slack.waitFor('the call that hangs', () => lastStatus(world, 'conversations.create') === 0);
    await killAndStart();
    await hasOneRoomAndCard(id, before);
  });

  it('finds the room again that Slack had made and that was not written down', async () => {
    const before = (await roomsOf(world)).length;
    world.slack.fault({ method: 'conversations.create', kind: 'reset' });
    world.slack.fault({ method: 'conversations.create', kind: 'hang', times: 50 });
    const id = await declared('made a room');
    await world.slack.waitFor('the room', async () => (await roomsOf(world)).length === before + 1);
    await killAndStart();
    await hasOneRoomAndCard(id, before);
  });

  it('posts one card when Slack had taken it and the answer was lost', async () => {
    const before = (await roomsOf(world)).length;
    world.slack.fault({ method: 'chat.postMessage', kind: 'reset' });
    world.slack.fault({ method: 'chat.postMessage', kind: 'hang', times: 50 });
    const id = await declared('posted a card');
    await world.slack.waitFor('the card', () => lastStatus(world, 'chat.postMessage') === 0);
    await killAndStart();
    await hasOneRoomAndCard(id, before);
  });

  it('ends with code 0 on SIGTERM and loses nothing that it had taken', async () => {
    const before = (await roomsOf(world)).length;
    const id = await declared('asked just before the end');
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await gone).toEqual([0, null]);
    child = await world.spawn();
    await hasOneRoomAndCard(id, before);
  });

  it('takes up a command that it had accepted and not finished', async () => {
    const { room } = await declareIncident(world, `sev3 outage ${SERVICE} half a command`);
    const asked = world.service.requests.length;
    world.service.fault({ kind: 'hang', method: 'GET' });
    const typed = world.slack.as('oncall').command('mitigate prompt answer=v12', { channel: room });
    await world.slack.waitFor('the read that hangs', () => world.service.requests.at(asked));
    await killAndStart();
    expect((await typed).status).not.toBe(401);
    const proposals = async () =>
      (await world.slack.messages(room)).filter((one) => keyOf(one)?.startsWith('proposal:'));
    const proposal = await world.slack.waitFor('it', async () => (await proposals()).at(0), AFTER_A_CRASH_MS);
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room, key: keyOf(proposal) ?? '' }, 'Applied', AFTER_A_CRASH_MS);
    expect(await proposals()).toHaveLength(1);
    expect(world.service.effects).toHaveLength(1);
  });
});

function lastStatus(world: World, method: string): number | undefined {
  return world.slack.callsOf(method).at(-1)?.status;
}
