import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliver, firing, webhook } from '../harness/alerts.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  proposeIn,
  roomWith,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';

const SHOP = 'shop-search';

describe('triage', () => {
  let world: World;
  let ops = '';
  const cardOf = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const alerting = async (service: string, name: string, labels: Record<string, string> = {}) => {
    const startsAt = new Date(await world.now());
    const body = webhook([firing(service, { name, startsAt, labels: { category: 'outage', ...labels } })]);
    const { incidents } = (await deliver(world, body)).body;
    return Number(incidents[0]?.slice(4));
  };
  const opened = async (service: string, name: string): Promise<Opened> => {
    const id = await alerting(service, name, { severity: 'sev2' });
    return { id, room: await roomWith(world, `card:${id}`) };
  };
  const notice = (room: string, wanted: string) =>
    world.slack.waitFor(`a notice: ${wanted}`, async () =>
      (await textsOf(world, room, 'notice')).find((text) => text.includes(wanted)),
    );
  beforeAll(async () => {
    world = await startConfigured(async (config, { slack }) => {
      ops = (await slack.channel('general')).id;
      await slack.as('lead').inviteBot(ops);
      config['ops_channel'] = ops;
    });
  });
  afterAll(() => world.close());

  it('merges an incident into a live one, which goes on with what fires, the page and what is on', async () => {
    const gone = await opened(SERVICE, 'HighErrorRate');
    const proposal = await proposeIn(world, gone.room, { wanted: 'disable' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    const before = await textWith(world, cardOf(gone), /Still on\n• [^\n]*isable/);
    const ticket = /PagerDuty (\w+)/.exec(await textWith(world, cardOf(gone), 'a ticket is open'))?.[1];
    expect(before).toContain('SEV2 outage');
    const kept = await declareIncident(world, `sev3 quality ${SERVICE} no answers`, 'lead');
    expect(await ask(world, 'oncall', `merge INC-${kept.id}`, gone.room)).toBe(
      `INC-${gone.id} is merged into INC-${kept.id}. Go on in <#${kept.room}>.`,
    );
    await textWith(world, cardOf(gone), 'merged into another incident');
    expect(await notice(gone.room, 'go on there')).toContain(`<#${kept.room}>`);
    const card = await textWith(world, cardOf(kept), /Still on\n• [^\n]*isable/);
    for (const wanted of ['SEV2 quality', 'no answers\nHighErrorRate\n', `PagerDuty ${ticket}`])
      expect(card).toContain(wanted);
    const pd = () => world.pagerduty.incidents.find(({ id }) => id === ticket);
    expect(pd()?.status).toBe('triggered');
    // What fires about the same from now on belongs to the survivor.
    expect(await alerting(SERVICE, 'TimeoutsRising')).toBe(kept.id);
    expect(await ask(world, 'oncall', `merge INC-${kept.id}`, gone.room)).toContain('has ended');
    expect(await ask(world, 'lead', `merge INC-${gone.id}`, kept.room)).toContain(
      'merge into one that is live',
    );
    expect(await ask(world, 'lead', `merge INC-${kept.id}`, kept.room)).toContain('this very incident');
    await ask(world, 'lead', 'resolve', kept.room);
    await world.slack.waitFor('the ticket to end', () => pd()?.status === 'resolved' || undefined);
  });

  it('keeps private incidents on their own', async () => {
    const kept = await declareIncident(world, `sev3 cost ${SERVICE} expensive`);
    const secret = await declareIncident(world, `sev3 private cost ${SERVICE} whose invoice`);
    expect(await ask(world, 'oncall', `merge INC-${kept.id}`, secret.room)).toContain('Nothing was changed.');
    expect(await ask(world, 'oncall', `merge INC-${secret.id}`, kept.room)).not.toContain('is merged');
    for (const { room } of [kept, secret]) await ask(world, 'oncall', 'decline end of the test', room);
  });

  it('asks why after a false alarm, and says once in the ops channel when a rule keeps crying wolf', async () => {
    const told = async () =>
      (await world.slack.messages(ops)).map(blocksText).filter((text) => text.includes('false alarms'));
    for (const time of [1, 2, 3, 4]) {
      const one = await opened(SHOP, 'SlowSearch');
      const card = await messageWith(world, one.room, `card:${one.id}`);
      await world.slack.as('lead').click(card, 'false_alarm');
      const form = await world.slack.waitFor('the form', () =>
        world.slack.views(world.slack.userId('lead')).find((view) => view.callback_id === 'false_alarm'),
      );
      expect(await textWith(world, cardOf(one), 'false alarm')).toContain('outage');
      await world.slack.as('lead').submit(form, { reason: `a load test, number ${time}` });
      await notice(one.room, `Why it was a false alarm: a load test, number ${time}`);
      if (time === 2) expect(await told()).toEqual([]);
      await world.advance(60_000);
    }
    const said = await world.slack.waitFor('the ops channel', async () => (await told())[0]);
    expect(said).toContain('alertmanager/SlowSearch opened 3 incidents about shop-search in 30 days');
    expect(await told()).toHaveLength(1);
    expect(await ask(world, 'product', 'status')).toContain(
      'alertmanager/SlowSearch: 4 opened, 4 of them false alarms; 0 % right',
    );
  });
});
