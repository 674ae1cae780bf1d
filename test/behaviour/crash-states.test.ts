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
  proposeIn,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

const MINUTE_MS = 60_000;

/** What `crash.test.ts` leaves: the states before and after the request itself. */
describe('a mitigation whose bot is killed', { timeout: 120_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let child: ChildProcess;
  let incident: Opened;
  beforeAll(async () => {
    gate = await startTargetGate(() => world.service.controlUrl);
    world = await startConfigured((config, { slack }) => {
      config['poll_seconds'] = 300;
      const service = config.services[SERVICE];
      if (service?.target) service.target.url = gate.url;
      if (service) service.approvers = [slack.userId('approver'), slack.userId('product')];
    });
    child = await world.spawn();
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
  });
  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    gate.forget();
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const killAndStart = async () => {
    await kill();
    gate.release();
    world.slack.clearFaults();
    child = await world.spawn();
  };
  const proposed = (wanted: string) => proposeIn(world, incident.room, { wanted });
  const keyed = (proposal: SlackMessage, kind = 'proposal') => ({
    room: incident.room,
    key: (keyOf(proposal) ?? '').replace('proposal', kind),
  });
  /** What goes wrong is set before the last vote: the votes before it read the target as well. */
  const approve = async (proposal: SlackMessage, goesWrong: () => void = () => undefined) => {
    const vote = await lastVote(world, proposal, ['approver', 'product']);
    goesWrong();
    await vote();
  };
  const isApplied = (proposal: SlackMessage) => textWith(world, keyed(proposal), 'Applied', AFTER_A_CRASH_MS);
  const saying = async (wanted: string) =>
    (await world.slack.messages(incident.room)).filter((one) => blocksText(one).includes(wanted));
  const changes = () => gate.requests.filter(({ method }) => method === 'POST').length;
  const lastPost = () => world.slack.callsOf('chat.postMessage').at(-1)?.status;

  it('waits for its click as it was proposed, and that click counts', async () => {
    const proposal = await proposed('prompt answer=v12');
    await killAndStart();
    expect(changes()).toBe(0);
    await approve(proposal);
    await isApplied(proposal);
    expect([changes(), world.service.effects.length]).toEqual([1, 1]);
  });

  it('runs once when it was approved and waited for its turn behind one that was running', async () => {
    const [first, second] = [await proposed('prompt answer=v13'), await proposed('cap 500')];
    const before = changes();
    gate.next('POST', { kind: 'hold-answer' });
    await approve(first);
    await gate.held();
    await approve(second);
    await textWith(world, keyed(second), 'It runs now.');
    expect(changes()).toBe(before + 1);
    await killAndStart();
    await isApplied(first);
    await isApplied(second);
    expect(changes()).toBe(before + 2);
    expect(world.service.effects.slice(-2).map(({ action }) => action)).toEqual(['prompt', 'token-cap']);
  });

  it('has one receipt and one call for people when it was recorded and the room did not know', async () => {
    const proposal = await proposed('prompt answer=v12');
    gate.next('POST', { kind: 'answer', status: 422 });
    world.slack.fault({ method: 'chat.postMessage', kind: 'reset' });
    world.slack.fault({ method: 'chat.postMessage', kind: 'hang', times: 50 });
    const before = changes();
    await approve(proposal);
    await world.slack.waitFor('the post without an answer', () => lastPost() === 0);
    await killAndStart();
    await textWith(world, keyed(proposal, 'receipt'), 'FAILED', AFTER_A_CRASH_MS);
    await world.slack.waitFor('the call', async () => (await saying('Next: look at the target')).at(0));
    await ask(world, 'oncall', 'status', incident.room);
    const receipts = (await world.slack.messages(incident.room)).filter(
      (one) => keyOf(one) === keyed(proposal, 'receipt').key,
    );
    expect([receipts.length, (await saying('Next: look at the target')).length]).toEqual([1, 1]);
    expect(changes()).toBe(before + 1);
  });

  it('is replaced by a new plan once when it was overtaken and the new one was not there yet', async () => {
    const proposal = await proposed('prompt answer=v12');
    const before = changes();
    await approve(proposal, () => {
      gate.next('GET', { kind: 'none' });
      gate.next('GET', { kind: 'hold-request' });
    });
    await gate.held();
    world.service.promptRegression();
    gate.next('GET', { kind: 'hold-request' });
    gate.release();
    await textWith(world, keyed(proposal), 'Stale');
    await gate.held();
    await killAndStart();
    const text = await textWith(world, keyed(proposal), 'takes its place', AFTER_A_CRASH_MS);
    const next = `proposal:${/Proposal (\d+) takes/.exec(text)?.[1]}`;
    expect(blocksText(await messageWith(world, incident.room, next))).toContain('prompt answer v14 → v12');
    expect((await saying('prompt answer v14 → v12')).map(keyOf).filter((key) => key === next)).toHaveLength(
      1,
    );
    expect(changes()).toBe(before);
  });

  it('goes on proving, and is proven once', async () => {
    const to = await world.now();
    await world.service.emit({ from: new Date(to.getTime() - 60 * MINUTE_MS), to, calls: 100 });
    await world.advance(0);
    const proposal = await proposed('disable');
    await approve(proposal);
    await isApplied(proposal);
    await killAndStart();
    await world.advance(4 * MINUTE_MS);
    const receipt = keyed(proposal, 'receipt');
    const waiting = 'Waiting for five minutes without a call.';
    expect(await textWith(world, receipt, waiting, AFTER_A_CRASH_MS)).toContain('PROVING');
    await killAndStart();
    await world.advance(2 * MINUTE_MS);
    await textWith(world, receipt, 'PROVEN by live traffic', AFTER_A_CRASH_MS);
    await killAndStart();
    await world.advance(MINUTE_MS);
    await ask(world, 'oncall', 'status', incident.room);
    await kill();
    const { db, close } = await world.database.open();
    const trail = await db.selectFrom('audit').select('action').orderBy('seq').execute();
    const told = await db.selectFrom('incident_event').select('kind').where('kind', '=', 'proven').execute();
    await close();
    child = await world.spawn();
    expect(trail.map(({ action }) => action).filter((action) => action === 'mitigation.proven')).toHaveLength(
      1,
    );
    expect(told).toHaveLength(1);
    const receipts = (await world.slack.messages(incident.room)).filter((one) => keyOf(one) === receipt.key);
    expect(receipts).toHaveLength(1);
  });
});
