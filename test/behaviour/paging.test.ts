import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, press, textWith } from '../harness/people.ts';

describe('paging when a person declares', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const newest = () => world.pagerduty.incidents.at(-1);
  const paged = (count: number) =>
    world.slack.waitFor('a page', () => (world.pagerduty.incidents.length === count ? newest() : undefined));
  const opened = async (text: string) => {
    const before = world.pagerduty.incidents.length;
    const incident = await declareIncident(world, text);
    return { ...incident, before, card: { room: incident.room, key: `card:${incident.id}` } };
  };

  it('pages at once for sev1, with the receipt on the card', async () => {
    const { before, card, id } = await opened(`sev1 quality ${SERVICE} wrong answers`);
    const page = await paged(before + 1);
    expect(page).toMatchObject({
      urgency: 'high',
      status: 'triggered',
      incident_key: expect.stringMatching(new RegExp(`^llm-incident/[0-9a-f]{8}/production/INC-${id}$`)),
    });
    expect(page.title).toBe(`INC-${id} SEV1 quality · support-answers: wrong answers`);
    const text = await textWith(world, card, 'Paged: PagerDuty');
    expect(text).toContain(page.id);
    expect(text).toContain('On-call engineer');
  });

  it('opens a low-urgency ticket for sev2, which is raised to high when it becomes sev1', async () => {
    const { before, card, room } = await opened(`sev2 outage ${SERVICE} slow answers`);
    const ticket = await paged(before + 1);
    expect(ticket.urgency).toBe('low');
    await textWith(world, card, `nobody; a ticket is open: PagerDuty ${ticket.id}`);
    expect(await ask(world, 'oncall', 'severity sev1', room)).toContain('Severity is sev1 now.');
    await textWith(world, card, `Paged: PagerDuty ${ticket.id}`);
    expect(world.pagerduty.incidents).toHaveLength(before + 1);
    expect(newest()?.urgency).toBe('high');
    const puts = world.pagerduty.calls.filter(
      ({ method, path }) => method === 'PUT' && path.endsWith(ticket.id),
    );
    expect(puts.map(({ body }) => body)).toMatchObject([{ incident: { urgency: 'high' } }]);
  });

  it('pages nobody for sev3, and somebody once it becomes sev1', async () => {
    const { before, card, room } = await opened(`sev3 cost ${SERVICE} tokens`);
    await textWith(world, card, 'nobody; sev3 wakes no one');
    expect(world.pagerduty.incidents).toHaveLength(before);
    await ask(world, 'oncall', 'severity sev1', room);
    expect((await paged(before + 1)).urgency).toBe('high');
    await textWith(world, card, 'Paged: PagerDuty');
  });

  it('opens a ticket for sev3 that becomes sev2, and the card says so', async () => {
    const { before, card, room } = await opened(`sev3 cost ${SERVICE} tickets`);
    await textWith(world, card, 'nobody; sev3 wakes no one');
    const said = await ask(world, 'oncall', 'severity sev2', room);
    expect(said).toBe(
      'Severity is sev2 now. A ticket is opened; nobody is woken. An update is due every 60 minutes.',
    );
    const ticket = await paged(before + 1);
    expect(ticket.urgency).toBe('low');
    await textWith(world, card, `a ticket is open: PagerDuty ${ticket.id}`);
  });

  it('pages by hand, once', async () => {
    const { before, card, room } = await opened(`sev3 cost ${SERVICE} pages by hand`);
    await textWith(world, card, 'nobody; sev3 wakes no one');
    expect(await ask(world, 'oncall', 'page', room)).toContain('Paging PagerDuty service PSVC1');
    await paged(before + 1);
    await textWith(world, card, 'Paged: PagerDuty');
    expect(await ask(world, 'lead', 'page', room)).toBe('It was paged before; the card shows the receipt.');
    await world.advance(0);
    expect(world.pagerduty.incidents).toHaveLength(before + 1);
  });

  it('acknowledges and resolves there when it is done here', async () => {
    const { before, card, id, room } = await opened(`sev1 outage ${SERVICE} no answers`);
    const { id: pageId } = await paged(before + 1);
    await textWith(world, card, 'Paged: PagerDuty');
    const find = () => world.pagerduty.incidents.find((one) => one.id === pageId);
    const said = await press(world, 'oncall', {
      on: await messageWith(world, room, card.key),
      action: 'acknowledge',
    });
    expect(said).toBe(`You have INC-${id}.`);
    await world.slack.waitFor('acknowledged there', () => find()?.status === 'acknowledged');
    await textWith(world, card, `<@${world.slack.userId('oncall')}> is on it`);
    const later = await messageWith(world, room, card.key);
    expect(world.slack.findButton(later, 'acknowledge')).toBeUndefined();
    await ask(world, 'oncall', 'resolve all is well', room);
    await world.slack.waitFor('resolved there', () => find()?.status === 'resolved');
  });

  it('resolves there when it was a false alarm', async () => {
    const { before, card, room } = await opened(`sev1 outage ${SERVICE} nothing at all`);
    const { id } = await paged(before + 1);
    await textWith(world, card, 'Paged: PagerDuty');
    await world.slack.as('oncall').click(await messageWith(world, room, card.key), 'false_alarm');
    await world.slack.waitFor('resolved there', () =>
      world.pagerduty.incidents.some((one) => one.id === id && one.status === 'resolved'),
    );
    await textWith(world, card, 'false alarm');
  });

  it('shows a private incident as a link and nothing else', async () => {
    const { before, id } = await opened(`safety ${SERVICE} leaks the address of a customer`);
    const page = await paged(before + 1);
    expect(page.title).toBe(`INC-${id} (private): open the room`);
    expect(JSON.stringify(page)).not.toContain('customer');
    expect(JSON.stringify(world.pagerduty.calls.map(({ body }) => body))).not.toContain('leaks the address');
  });
});

describe('paging when a service outside is away', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const count = () => world.pagerduty.incidents.length;
  const textOf = (id: number, room: string) =>
    textWith(world, { room, key: `card:${id}` }, 'Paged: PagerDuty', 30_000);

  it('pages once in the end when PagerDuty answers 500 for a while', async () => {
    const before = count();
    world.pagerduty.fault({ kind: '500', path: '/incidents', times: 3 });
    const { id, room } = await declareIncident(world, `sev1 quality ${SERVICE} first 500`);
    await textOf(id, room);
    expect(count()).toBe(before + 1);
  });

  it('pages once when PagerDuty’s answer was lost', async () => {
    const before = count();
    world.pagerduty.fault({ kind: 'reset', method: 'POST', path: '/incidents' });
    const { id, room } = await declareIncident(world, `sev1 quality ${SERVICE} lost answer`);
    const text = await textOf(id, room);
    expect(count()).toBe(before + 1);
    expect(text).toContain(world.pagerduty.incidents.at(-1)?.id);
  });

  it('pages once when PagerDuty limits the rate', async () => {
    const before = count();
    world.pagerduty.fault({ kind: '429', method: 'POST', path: '/incidents', resetSeconds: 1 });
    const { id, room } = await declareIncident(world, `sev1 quality ${SERVICE} limited`);
    await textOf(id, room);
    expect(count()).toBe(before + 1);
  });

  it('pages at once when Slack opens no room', async () => {
    const before = count();
    world.slack.fault({ method: 'conversations.create', kind: '500', times: 1_000 });
    const said = await ask(world, 'oncall', `declare sev1 quality ${SERVICE} slack is away`);
    expect(said).toContain('Declared INC-');
    await world.slack.waitFor('the page', () => count() === before + 1);
    world.slack.clearFaults();
    const id = Number(/INC-(\d+)/.exec(said)?.[1]);
    const room = await world.slack.waitFor(
      'the room',
      async () =>
        (await world.slack.channels()).find(
          ({ name }) => name.startsWith('inc-') && name.includes(`-${id}-`),
        ),
      60_000,
    );
    await textOf(id, room.id);
    expect(count()).toBe(before + 1);
  });
});

describe('paging without PagerDuty', () => {
  it('says on the card why nobody was paged', async () => {
    const world = await startWorld({ pagerduty: false });
    const { id, room } = await declareIncident(world, `sev1 quality ${SERVICE} nobody to page`);
    const text = await textWith(world, { room, key: `card:${id}` }, 'PagerDuty is not configured');
    expect(text).toContain('Paged: nobody; PagerDuty is not configured');
    expect(await ask(world, 'oncall', 'page', room)).toContain('PagerDuty is not configured');
    await world.close();
  });
});
