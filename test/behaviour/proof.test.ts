import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, messageWith, type Opened, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import { oneMoreService } from '../harness/services.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NAMES = [
  'still-bad',
  'no-traffic',
  'prompt-back',
  'model-back',
  'switched-off',
  'never-good',
  'goes-on',
];

describe('the proof of a mitigation', { timeout: 90_000 }, () => {
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
  /** Lets minutes pass, with calls spread over them. */
  const pass = async (service: SimulatedService, minutes: number, calls: number) => {
    const from = await world.now();
    const to = await world.advance(minutes * MINUTE_MS);
    await service.emit({ from, to, calls });
    await world.advance(0);
  };
  /** A good day, then whatever breaks, and half an hour of calls that the rule opens an incident on. */
  const broken = async (name: string, breaks: (service: SimulatedService) => void): Promise<Opened> => {
    const service = serviceNamed(name);
    const to = await world.now();
    await service.emit({ from: new Date(to.getTime() - 6 * HOUR_MS), to, calls: 600 });
    await world.advance(0);
    breaks(service);
    await pass(service, 30, 200);
    const [id] = await openedAbout(world, name);
    if (id === undefined) throw new Error(`nothing is open about ${name}`);
    const room = await roomOfIncident(world, id);
    const card = await messageWith(world, room, `card:${id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    return { id, room };
  };
  const applied = async (incident: Opened, wanted: string) => {
    const proposal = await proposeIn(world, incident.room, { wanted });
    const said = await press(world, 'approver', { on: proposal, action: 'approve' });
    if (said.startsWith('Your approval counts: 1 of 2'))
      await press(world, 'lead', { on: proposal, action: 'approve' });
    const receipt = receiptOf(incident, proposal);
    await textWith(world, receipt, 'Read-back: ');
    return { proposal, receipt };
  };
  const receiptOf = (incident: Opened, proposal: SlackMessage) => ({
    room: incident.room,
    key: (keyOf(proposal) ?? '').replace('proposal', 'receipt'),
  });
  const status = async ({ room }: Opened) =>
    (await ask(world, 'oncall', 'status', room)).split('\n')[0] ?? '';
  const noticeSaying = (incident: Opened, wanted: string) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await textsOf(world, incident.room, 'notice')).find((text) => text.includes(wanted)),
    );

  it('is NOT CONTAINED when the wanted version serves and the metric is still bad', async () => {
    const incident = await broken('still-bad', (service) => service.silentModelChange());
    const { receipt } = await applied(incident, 'prompt answer=v12');
    expect(await status(incident)).toContain(' · contained · ');
    await pass(serviceNamed('still-bad'), 10, 150);
    const text = await textWith(world, receipt, 'NOT CONTAINED');
    expect(text).toMatch(/Served by live calls since .* UTC \(n = 150\)\./);
    expect(text).toMatch(/Next: .*tree.* the next branch/);
    expect(await status(incident)).toContain(' · open · ');
    const notice = await noticeSaying(incident, 'NOT CONTAINED');
    expect(notice).toContain(`<@${world.slack.userId('oncall')}> NOT CONTAINED: prompt answer v13 → v12.`);
    expect(notice).toContain('Next: the tree in the thread of the card offers the next branch');
  });

  it('does not show as contained on the card, nor stop the exposure, after NOT CONTAINED', async () => {
    const [id] = await openedAbout(world, 'still-bad');
    const card = { room: await roomOfIncident(world, Number(id)), key: `card:${id}` };
    expect(await textWith(world, card, 'not-contained')).not.toContain('Contained:');
  });

  it('lets a person contain it after NOT CONTAINED', async () => {
    const [id] = await openedAbout(world, 'still-bad');
    const room = await roomOfIncident(world, Number(id));
    expect(await ask(world, 'oncall', 'contain switched it off at the load balancer', room)).toBe(
      `INC-${id} is recorded as contained.`,
    );
    expect(await status({ id: Number(id), room })).toContain(' · contained · ');
  });

  it('is NOT CONTAINED at the deadline when calls go on as before', async () => {
    const service = serviceNamed('goes-on');
    const incident = await broken('goes-on', (one) => one.promptRegression());
    const { receipt } = await applied(incident, 'prompt answer=v13');
    service.promptRegression();
    await pass(service, 29, 100);
    await textWith(world, receipt, 'but live calls do not yet: 0 served as wanted, 100 otherwise');
    await pass(service, 1, 5);
    await textWith(world, receipt, 'NOT CONTAINED');
    expect(await status(incident)).toContain(' · open · ');
  });

  it('is UNPROVEN at its deadline when no call came', async () => {
    const incident = await broken('no-traffic', (service) => service.promptRegression());
    const { receipt } = await applied(incident, 'prompt answer=v13');
    await world.advance(29 * MINUTE_MS);
    expect(
      await textWith(world, receipt, 'Waiting for live calls: none has come since it was applied.'),
    ).toContain('PROVING');
    await world.advance(MINUTE_MS);
    await textWith(world, receipt, 'UNPROVEN: its deadline passed without enough traffic to tell');
    const notice = await noticeSaying(incident, 'UNPROVEN');
    expect(notice).toContain(`<@${world.slack.userId('oncall')}> UNPROVEN: prompt answer v14 → v13.`);
    expect(await status(incident)).toContain(' · contained · ');
  });

  it('proves a prompt that went back, and shows how far it is', async () => {
    const incident = await broken('prompt-back', (service) => service.promptRegression());
    const { receipt } = await applied(incident, 'prompt answer=v13');
    expect(serviceNamed('prompt-back').state().prompt).toBe('v13');
    await pass(serviceNamed('prompt-back'), 5, 40);
    const progress = await textWith(world, receipt, 'Proving: 40/100 scored calls');
    expect(progress).toContain('PROVING');
    expect(progress).toContain('about 8 min more at this traffic');
    await pass(serviceNamed('prompt-back'), 5, 60);
    const text = await textWith(world, receipt, 'PROVEN by live traffic');
    expect(text).toMatch(/Quality score 0\.\d\d → 0\.\d\d, baseline 0\.\d\d \(n = 100, 90 % interval/);
    expect(text).toMatch(/Next: .*resolve/);
    expect(await status(incident)).toContain(' · mitigated · ');
  });

  it('proves a model that was pinned', async () => {
    const incident = await broken('model-back', (service) => service.silentModelChange());
    const { receipt } = await applied(incident, 'model gpt-4-0314');
    expect(serviceNamed('model-back').state()).toMatchObject({
      model: 'gpt-4-0314',
      requestedModel: 'gpt-4-0314',
    });
    await pass(serviceNamed('model-back'), 10, 120);
    await textWith(world, receipt, 'PROVEN by live traffic');
    expect(await status(incident)).toContain(' · mitigated · ');
  });

  it('proves a disabled feature by silence, which is contained and not mitigated', async () => {
    const incident = await broken('switched-off', (service) => service.promptRegression());
    const { receipt } = await applied(incident, 'disable');
    expect(serviceNamed('switched-off').state().enabled).toBe(false);
    await world.advance(4 * MINUTE_MS);
    expect(await textWith(world, receipt, 'Waiting for five minutes without a call.')).toContain('PROVING');
    await world.advance(MINUTE_MS);
    const text = await textWith(world, receipt, 'PROVEN by live traffic');
    expect(text).toContain('No call reached the feature for five minutes.');
    expect(await status(incident)).toContain(' · contained · ');
    const card = await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'Contained:');
    expect(card).toContain('not mitigated yet');
  });

  it('refuses known-good when the ledger has no good state', async () => {
    const said = await ask(world, 'oncall', 'declare sev3 quality never-good was it ever good');
    const room = await roomOfIncident(world, Number(/INC-(\d+)/.exec(said)?.[1]));
    const refused = await ask(world, 'oncall', 'mitigate known-good', room);
    expect(refused).toBe(
      'The ledger has no state that was green long enough before this began. Name one: `mitigate prompt NAME=VERSION` or `mitigate model ID`.',
    );
  });
});
