import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  AFTER_A_CRASH_MS,
  ask,
  declareIncident,
  lastVote,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';
import { type CutScene, SECRETS, startCutScenes } from '../harness/vendor-scenes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SLOW_MS = 45_000;

describe('a run that cannot go on', { timeout: 120_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let cuts: CutScene[];
  let incident: Opened;
  beforeAll(async () => {
    gate = await startTargetGate(() => world.service.controlUrl);
    cuts = await startCutScenes();
    world = await startConfigured((config, { slack, env }) => {
      Object.assign(env, SECRETS);
      config['poll_seconds'] = 300;
      const target = config.services[SERVICE]?.target;
      if (target) target.url = gate.url;
      for (const { service, target: there } of cuts)
        config.services[service] = {
          ...{ owner: slack.userId('lead'), approvers: [slack.userId('approver')] },
          target: there as never,
        };
    });
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
    for (const { double } of cuts) await double.close();
  });
  beforeEach(async () => {
    incident = await opened(SERVICE);
  });
  afterEach(async () => {
    gate.forget();
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  /** With a commander, whose phone is pushed. */
  const opened = async (service: string) => {
    const one = await declareIncident(world, `sev3 quality ${service} answers look odd`);
    const card = await messageWith(world, one.room, `card:${one.id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    return one;
  };
  const other = () => (world.service.state().prompt === 'v13' ? 'v12' : 'v13');
  const proposed = (wanted = `prompt answer=${other()}`) => proposeIn(world, incident.room, { wanted });
  /** What goes wrong is set before the last vote: the votes before it read the target as well. */
  const approve = async (proposal: SlackMessage, goesWrong: () => void = () => undefined) => {
    const vote = await lastVote(world, proposal, ['approver', 'lead']);
    goesWrong();
    await vote();
  };
  const changes = () => gate.requests.filter(({ method }) => method === 'POST').length;
  /** The receipt, the proposal and one message that pushes the commander's phone say the same; nobody else's. */
  const ended = async (proposal: SlackMessage, { as, why }: { as: string; why: string }) => {
    const key = keyOf(proposal) ?? '';
    const receipt = { room: incident.room, key: key.replace('proposal', 'receipt') };
    expect(await textWith(world, receipt, as, SLOW_MS)).toContain(why);
    await textWith(world, { room: incident.room, key }, why);
    const calls = await world.slack.waitFor('the call for people', async () => {
      const said = (await textsOf(world, incident.room, 'notice')).filter((text) => text.includes(why));
      return said.length > 0 ? said : undefined;
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(new RegExp(`^<@${world.slack.userId('oncall')}> ${as}`));
    expect(calls[0]).toContain('Next: look at the target');
  };

  it('fails and sends nothing when the target refuses for good to say what it serves', async () => {
    const proposal = await proposed();
    const before = changes();
    await approve(proposal, () => {
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'answer', status: 401 });
    });
    await ended(proposal, { as: 'FAILED', why: 'The target could not be read: read-back answered 401' });
    expect(changes()).toBe(before);
  });

  it('asks a person when the change was taken and the read-back is refused', async () => {
    const proposal = await proposed();
    const [before, wanted] = [changes(), other()];
    await approve(proposal, () => {
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'answer', status: 403 });
    });
    await ended(proposal, {
      as: 'STOPPED',
      why: 'A request was sent before, and whether the change was made',
    });
    expect([changes(), world.service.state().prompt]).toEqual([before + 1, wanted]);
  });

  it('is overtaken, and offers a new plan, when the target answers that somebody was first', async () => {
    const proposal = await proposed();
    const [before, began] = [changes(), world.service.state().prompt];
    await approve(proposal, () => {
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'hold-answer' });
      gate.next('POST', { kind: 'answer', status: 409 });
    });
    await gate.held();
    world.service.promptRegression();
    gate.release();
    const receipt = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    const text = await textWith(world, receipt, /takes its place/);
    expect(text).toContain(`began at ${began}, now it is v14. The target refused: change answered 409.`);
    expect(changes()).toBe(before + 1);
    const next = await messageWith(
      world,
      incident.room,
      `proposal:${/Proposal (\d+) takes/.exec(text)?.[1]}`,
    );
    await approve(next);
    await textWith(world, { room: incident.room, key: keyOf(next) ?? '' }, 'Applied');
    expect(changes()).toBe(before + 2);
  });

  it('says what was done, and asks a person, when only a part was done', async () => {
    const to = await world.now();
    await world.service.emit({ from: new Date(to.getTime() - 6 * HOUR_MS), to, calls: 600 });
    await world.advance(0);
    const good = world.service.state();
    const away = await proposed('model gpt-4-0613');
    await approve(away);
    await textWith(world, { room: incident.room, key: keyOf(away) ?? '' }, 'Applied');
    world.service.promptRegression();
    const from = await world.now();
    await world.service.emit({ from, to: await world.advance(30 * MINUTE_MS), calls: 200 });
    await world.advance(0);
    const proposal = await proposed('known-good');
    const before = changes();
    gate.next('POST', { kind: 'none' });
    gate.next('POST', { kind: 'answer', status: 422 });
    await approve(proposal);
    await ended(proposal, { as: 'STOPPED', why: 'Only part of it was done. Read-back: ' });
    expect(changes()).toBe(before + 2);
    const now = world.service.state();
    expect([now.prompt === good.prompt, now.model === good.model].sort()).toEqual([false, true]);
  });

  it('asks a person when a vendor took only the first of the requests that make one change', async () => {
    for (const scene of cuts) {
      await ask(world, 'oncall', 'decline end of the test', incident.room);
      incident = await opened(scene.service);
      expect(scene.served()).toEqual(scene.was);
      const proposal = await proposed(scene.there);
      scene.double.next('change', { kind: 'none' });
      scene.double.next('change', { kind: 'answer', reply: { status: 403, body: { error: 'no' } } });
      for (const who of ['lead', 'approver']) await press(world, who, { on: proposal, action: 'approve' });
      await ended(proposal, { as: 'STOPPED', why: scene.cut });
      expect(scene.served()).toEqual(scene.is);
      expect(scene.double.changes()).toHaveLength(2);
    }
  });

  it.each([
    [
      'nothing was changed, when nothing was sent',
      'GET',
      'The target could not be used in time. Nothing was changed.',
    ],
    ['nobody knows, when something was sent', 'POST', 'so whether the change was made is not known.'],
  ] as const)('stops after a quarter of an hour and says that %s', async (_, method, why) => {
    const proposal = await proposed();
    const effects = world.service.effects.length;
    await approve(proposal, () => {
      if (method === 'GET') gate.next('GET', { kind: 'none' });
      for (let time = 0; time < 12; time += 1) gate.next(method, { kind: 'answer', status: 503 });
    });
    await world.slack.waitFor('the answer 503', () => gate.waiting(method) < 12);
    await world.advance(16 * MINUTE_MS);
    await ended(proposal, { as: 'STOPPED', why });
    expect(world.service.effects).toHaveLength(effects);
  });

  it('fails, sends nothing and takes no click when the clock of its machine is six minutes off', async () => {
    let child: ChildProcess = await world.spawn();
    const kill = async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    };
    const proposal = await proposed();
    const [before, effects] = [changes(), world.service.effects.length];
    await approve(proposal, () => {
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'hold-request' });
    });
    await gate.held();
    await kill();
    gate.release();
    const ahead = 'const now = Date.now; Date.now = () => now() + 6 * 60_000;';
    world.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(ahead)}`;
    child = await world.spawn();
    delete world.env['NODE_OPTIONS'];
    expect((await world.slack.as('oncall').command('status', { channel: incident.room })).status).toBe(401);
    const receipt = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    const text = await textWith(world, receipt, 'FAILED', AFTER_A_CRASH_MS);
    expect(text).toContain('read-back answered 401: check the secret, and the clocks of both machines.');
    await kill();
    await world.restart();
    await ended(proposal, { as: 'FAILED', why: 'It was not sent.' });
    expect([changes(), world.service.effects.length]).toEqual([before, effects]);
  });
});
