import { afterEach, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { declareIncident, messageWith, type Opened, textsOf, textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;
const LAST = 'is not contained after 20 minutes';

describe('contain first where no phone can or may ring', { timeout: 90_000 }, () => {
  let world: World;
  afterEach(() => world.close());

  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const noticeSaying = ({ room }: Opened, wanted: string) =>
    world.slack.waitFor(
      `a notice saying ${wanted}`,
      async () => (await textsOf(world, room, 'notice')).find((text) => text.includes(wanted)),
      30_000,
    );
  const untaken = async () => {
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} nobody contains it`, 'product');
    await messageWith(world, incident.room, `card:${incident.id}`);
    return incident;
  };
  /** Every step of the ladder, from the first to the last, and what stands in the room of each. */
  const climbed = async (incident: Opened) => {
    const said: string[] = [];
    for (const [minutes, wanted] of [
      [5, 'Nobody has said'],
      [5, 'is not contained after 10 minutes'],
      [10, LAST],
    ] as const) {
      await world.advance(minutes * MINUTE_MS);
      said.push(await noticeSaying(incident, wanted));
    }
    return said.map((text) => text.match(/<@\w+>/g) ?? []);
  };
  const silentAfter = async (incident: Opened) => {
    const pushes = async () =>
      (await textsOf(world, incident.room, 'notice')).filter((text) => text.includes('<@'));
    const before = await pushes();
    await world.advance(60 * MINUTE_MS);
    await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'overdue');
    expect(await pushes()).toEqual(before);
  };

  it('outside production mentions owner and approvers, at the end nobody, and neither asks nor pages PagerDuty', async () => {
    world = await startWorld({ environment: 'staging' });
    const incident = await untaken();
    expect(await climbed(incident)).toEqual([[mention('lead')], [mention('lead'), mention('approver')], []]);
    await silentAfter(incident);
    const texts = await textsOf(world, incident.room, 'notice');
    expect(texts.filter((text) => text.includes('No phone is paged'))).toEqual([]);
    expect(world.pagerduty.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it('while PagerDuty fails calls the owner in place of who is on call, and pages them once it is back', async () => {
    world = await startWorld();
    world.pagerduty.fault({ kind: '500', path: '/oncalls', times: 1_000 });
    world.pagerduty.fault({ kind: '500', path: '/users', times: 1_000 });
    world.pagerduty.fault({ kind: '500', path: '/incidents', times: 1_000 });
    const incident = await untaken();
    const [first, second, last] = await climbed(incident);
    expect(first).toEqual([mention('lead')]);
    expect(second).toEqual([mention('lead'), mention('approver')]);
    expect(last).toEqual([mention('lead')]);
    expect(world.pagerduty.incidents).toEqual([]);
    world.pagerduty.clearFaults();
    await world.slack.waitFor(
      'the page',
      () => world.pagerduty.incidents.find(({ urgency }) => urgency === 'high'),
      60_000,
    );
    await silentAfter(incident);
  });

  it('without PagerDuty mentions the same people and says once that no phone is paged', async () => {
    world = await startWorld({ pagerduty: false });
    const incident = await untaken();
    expect(await climbed(incident)).toEqual([
      [mention('lead')],
      [mention('lead'), mention('approver')],
      [mention('lead')],
    ]);
    await silentAfter(incident);
    const said = (await textsOf(world, incident.room, 'notice')).filter((text) =>
      text.includes('No phone is paged by name here: PagerDuty is not configured'),
    );
    expect(said).toHaveLength(1);
  });
});
