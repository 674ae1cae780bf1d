import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textWith,
} from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

const SLOW_MS = 45_000;

describe('a mitigation whose target misbehaves', { timeout: 90_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let elsewhere: Server;
  let incident: Opened;
  const visits: string[] = [];
  beforeAll(async () => {
    elsewhere = createServer((request, response) => {
      visits.push(`${request.method} ${request.url}`);
      response.end('{"prompt":"v12","model":"gpt-4","enabled":true}');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    gate = await startTargetGate(() => world.service.controlUrl);
    world = await startConfigured((config) => {
      const target = config.services[SERVICE]?.target;
      if (target === undefined) throw new Error('the service has a target');
      config.services['closed'] = { target: { ...target, allow_private: false } };
      const named = target.url.replace('127.0.0.1', 'localhost');
      config.services['closed-by-name'] = { target: { ...target, url: named, allow_private: false } };
      const metadata = { ...target, url: 'http://169.254.169.254/latest/meta-data/' };
      config.services['metadata'] = { target: metadata };
      config.services['metadata-mapped'] = {
        target: { ...target, url: 'http://[::ffff:169.254.169.254]/latest/meta-data/' },
      };
      target.url = gate.url;
    });
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
    await new Promise((resolve) => elsewhere.close(resolve));
  });

  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
    world.service.clearFaults();
  });

  const other = () => (world.service.state().prompt === 'v13' ? 'v12' : 'v13');
  const proposed = () => proposeIn(world, incident.room, { wanted: `prompt answer=${other()}` });
  const receiptOf = (proposal: SlackMessage) => ({
    room: incident.room,
    key: (keyOf(proposal) ?? '').replace('proposal', 'receipt'),
  });
  const approve = (proposal: SlackMessage) => press(world, 'approver', { on: proposal, action: 'approve' });
  const elsewhereUrl = () => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/control`;
  const sent = () => gate.requests.filter(({ method }) => method === 'POST').length;

  /** Approves, waits for the read-back on the receipt, and counts the effects of it. */
  const effectsOfApproval = async (proposal: SlackMessage) => {
    const before = world.service.effects.length;
    await approve(proposal);
    await textWith(world, receiptOf(proposal), /Read-back: v1\d\./, SLOW_MS);
    return world.service.effects.length - before;
  };

  it('has one effect when the target answers 500 and then takes it', async () => {
    const proposal = await proposed();
    world.service.fault({ kind: '500' });
    expect(await effectsOfApproval(proposal)).toBe(1);
  });

  it('has one effect when the target hangs once', async () => {
    const proposal = await proposed();
    world.service.fault({ kind: 'hang' });
    expect(await effectsOfApproval(proposal)).toBe(1);
  });

  it('has one effect, and sends nothing again, when the target applies it and drops the connection', async () => {
    const proposal = await proposed();
    const before = sent();
    world.service.fault({ kind: 'drop' });
    expect(await effectsOfApproval(proposal)).toBe(1);
    expect(sent()).toBe(before + 1);
    expect(await ask(world, 'oncall', 'status', incident.room)).toContain('contained');
  });

  it('is owned by somebody when the target accepts it and does not show it, for it may still land', async () => {
    const proposal = await proposed();
    const served = world.service.state().prompt;
    world.service.fault({ kind: 'ignore' });
    await approve(proposal);
    const text = await textWith(world, receiptOf(proposal), 'STOPPED', SLOW_MS);
    expect(text).toContain(`The target accepted the change, but its read-back still says ${served}.`);
    expect(text).toContain('Next: Look at the target');
    expect(await ask(world, 'oncall', 'status', incident.room)).toMatch(/ · open · /);
    expect(await ask(world, 'oncall', 'lease', incident.room)).toContain('prompt');
  });

  it.each([
    [401, ': check the secret, and the clocks of both machines'],
    [409, ''],
    [422, ''],
  ])('fails and says so when the target answers %i', async (status, cure) => {
    const proposal = await proposed();
    const effects = world.service.effects.length;
    const before = sent();
    gate.next('POST', { kind: 'answer', status, body: '{"error":"no"}' });
    await approve(proposal);
    const text = await textWith(world, receiptOf(proposal), 'FAILED');
    expect(text).toContain(`The target refused: change answered ${status}${cure}.`);
    expect(sent()).toBe(before + 1);
    expect(world.service.effects).toHaveLength(effects);
  });

  it('has one effect, after the time that it is told to wait', async () => {
    const proposal = await proposed();
    const before = sent();
    gate.next('POST', { kind: 'answer', status: 429, headers: { 'retry-after': '1' } });
    expect(await effectsOfApproval(proposal)).toBe(1);
    expect(sent()).toBe(before + 2);
  });

  it('follows no redirect', async () => {
    const proposal = await proposed();
    gate.next('POST', { kind: 'answer', status: 307, headers: { location: elsewhereUrl() } });
    await approve(proposal);
    expect(await textWith(world, receiptOf(proposal), 'FAILED')).toContain('change answered 307');
    gate.next('GET', { kind: 'answer', status: 302, headers: { location: elsewhereUrl() } });
    const said = await ask(world, 'oncall', 'mitigate model gpt-4-0613', incident.room);
    expect(said).toBe('The target could not be read, so nothing was proposed: read-back answered 302.');
    expect(visits).toEqual([]);
  });

  it('is stale, and nothing is sent, when the service changed between proposal and approval', async () => {
    const proposal = await proposed();
    const before = sent();
    const from = world.service.state().prompt;
    world.service.promptRegression();
    await approve(proposal);
    const text = await textWith(world, receiptOf(proposal), /takes its place/);
    expect(text).toContain('NOT RUN');
    expect(text).toContain(`began at ${from}, now it is v14. It was not sent.`);
    const again = /Proposal (\d+) takes its place/.exec(text)?.[1];
    expect(sent()).toBe(before);
    expect(await effectsOfApproval(await messageWith(world, incident.room, `proposal:${again}`))).toBe(1);
  });

  it('tells whoever proposes that the target is down', async () => {
    gate.next('GET', { kind: 'answer', status: 503 });
    const said = await ask(world, 'oncall', 'mitigate disable', incident.room);
    expect(said).toBe('The target could not be read, so nothing was proposed: read-back answered 503.');
    gate.next('GET', { kind: 'answer', status: 200, body: '<html>not json</html>' });
    const odd = await ask(world, 'oncall', 'mitigate disable', incident.room);
    expect(odd).toContain('nothing was proposed: read-back is not {"prompt", "model", "enabled"}');
  });

  it.each([
    ['closed', '127.0.0.1 is 127.0.0.1, which is not allowed'],
    ['closed-by-name', 'localhost is 127.0.0.1, which is not allowed'],
    ['metadata', '169.254.169.254 is 169.254.169.254, which is not allowed'],
    ['metadata-mapped', 'which is not allowed'],
  ])('refuses the address of %s and says why', async (service, why) => {
    const one = await declareIncident(world, `sev3 quality ${service} answers look odd`);
    const before = world.service.requests.length;
    const said = await ask(world, 'oncall', 'mitigate disable', one.room);
    expect(said).toContain('The target could not be read, so nothing was proposed');
    expect(said).toContain(why);
    expect(world.service.requests).toHaveLength(before);
    await ask(world, 'oncall', 'decline end of the test', one.room);
  });

  it.each(['metadata', 'metadata-mapped'])(
    'does not advise allow_private for %s, where it is set and does not help',
    async (service) => {
      const one = await declareIncident(world, `sev3 quality ${service} answers look odd`);
      const said = await ask(world, 'oncall', 'mitigate disable', one.room);
      expect(said).toContain('which is not allowed');
      expect(said).not.toContain('set allow_private');
      await ask(world, 'oncall', 'decline end of the test', one.room);
    },
  );
});
