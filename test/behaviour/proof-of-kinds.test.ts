import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmitSpan } from '../../src/demo/service/simulated-calls.ts';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, declareIncident, type Opened, press, proposeIn, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import { oneMoreService } from '../harness/services.ts';

const MINUTE_MS = 60_000;
const NAMES = ['failing', 'still-failing', 'shaped'];

describe('what proves a mitigation, by its kind and by the rule that tripped', { timeout: 120_000 }, () => {
  let world: World;
  const services = new Map<string, SimulatedService>();
  beforeAll(async () => {
    world = await startConfigured(async (config, started) => {
      config['poll_seconds'] = 300;
      for (const name of NAMES) {
        const { service, entry } = await oneMoreService(started, name);
        services.set(name, service);
        config.services[name] = entry;
      }
    });
  });
  afterAll(async () => {
    await world.close();
    for (const service of services.values()) await service.close();
  });

  const serviceNamed = (name: string): SimulatedService => {
    const service = services.get(name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  };
  const pass = async (name: string, minutes: number, span: Pick<EmitSpan, 'calls' | 'alter'>) => {
    const from = await world.now();
    const to = await world.advance(minutes * MINUTE_MS);
    await serviceNamed(name).emit({ from, to, ...span });
    await world.advance(0);
  };
  const failing: EmitSpan['alter'] = (call, index) => (index % 3 === 0 ? { ...call, error: '503' } : call);
  const applied = async (incident: Opened, wanted: string) => {
    const proposal = await proposeIn(world, incident.room, { wanted });
    for (const who of ['approver', 'lead']) await press(world, who, { on: proposal, action: 'approve' });
    const receipt = { room: incident.room, key: (keyOf(proposal) ?? '').replace('proposal', 'receipt') };
    await textWith(world, receipt, 'Read-back: ');
    return receipt;
  };
  /** Six sound hours, then every third call fails until the rule has opened an incident. */
  const outage = async (name: string): Promise<Opened> => {
    const to = await world.now();
    await serviceNamed(name).emit({ from: new Date(to.getTime() - 360 * MINUTE_MS), to, calls: 600 });
    await world.advance(0);
    for (let minute = 0; minute < 4; minute += 1) await pass(name, 1, { calls: 40, alter: failing });
    const [id] = await openedAbout(world, name);
    if (id === undefined) throw new Error(`nothing is open about ${name}`);
    return { id, room: await roomOfIncident(world, id) };
  };
  const status = async ({ room }: Opened) =>
    (await ask(world, 'oncall', 'status', room)).split('\n')[0] ?? '';

  it('proves that errors stopped, by the rule for errors', async () => {
    const incident = await outage('failing');
    const receipt = await applied(incident, 'prompt answer=v12');
    await pass('failing', 2, { calls: 60 });
    const text = await textWith(world, receipt, 'PROVEN by live traffic');
    expect(text).toMatch(/Error rate \d\d\.\d % → 0\.0 % \(n = 60, 90 % interval 0\.0 %–\d\.\d %\)/);
    expect(await status(incident)).toContain(' · mitigated · ');
  });

  it('is NOT CONTAINED when the wanted version serves and calls go on failing', async () => {
    const incident = await outage('still-failing');
    const receipt = await applied(incident, 'prompt answer=v12');
    await pass('still-failing', 2, { calls: 60, alter: failing });
    expect(await textWith(world, receipt, 'NOT CONTAINED')).toMatch(/Error rate .* → 33\.3 % \(n = 60/);
    expect(await status(incident)).toContain(' · open · ');
  });

  it('proves each kind of setting by what live calls show of it', async () => {
    await pass('shaped', 60, { calls: 600 });
    const incident = await declareIncident(world, 'sev3 cost shaped one of them takes it all');
    const receipts = {
      limit: await applied(incident, 'limit user user-001 1'),
      cap: await applied(incident, 'cap 60'),
      disclaimer: await applied(incident, 'disclaimer Answers may be wrong.'),
      blocked: await applied(incident, 'block step by step'),
      split: await applied(incident, 'split answer=v12 25'),
    };
    await pass('shaped', 2, { calls: 100 });
    await textWith(world, receipts.limit, 'Watching user user-001 for five minutes.');
    await pass('shaped', 6, { calls: 300 });
    expect(await textWith(world, receipts.limit, 'PROVEN')).toContain('answers a minute over five minutes');
    expect(await textWith(world, receipts.cap, 'PROVEN')).toMatch(/None of \d+ outputs was above 60 tokens/);
    expect(await textWith(world, receipts.disclaimer, 'PROVEN')).toMatch(
      /(\d+) of \1 outputs carry the disclaimer/,
    );
    expect(await textWith(world, receipts.blocked, 'PROVEN')).toContain('holding the phrase');
    expect(await textWith(world, receipts.split, 'PROVEN')).toContain('went to answer=v12, 25 % wanted');
    const fallback = await applied(incident, 'fallback cached');
    await world.advance(6 * MINUTE_MS);
    expect(await textWith(world, fallback, 'PROVEN')).toContain(
      'No call reached the feature for five minutes.',
    );
    expect(await status(incident)).toContain(' · contained · ');
  });
});
