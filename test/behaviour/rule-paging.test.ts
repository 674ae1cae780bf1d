import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendGoodDay, sendVerdicts } from '../harness/exact-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;
const SERVICES = ['paged-late', 'raised', 'contained-meanwhile', 'recovered-meanwhile', 'fell-silent'];

describe('paging when a rule fires', () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      for (const name of SERVICES) {
        config.services[name] = { pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' } };
      }
    });
  });
  afterAll(() => world.close());

  const opened = async (service: string, good: number) => {
    await sendGoodDay(world, { service });
    await sendVerdicts(world, { service, n: 100, good });
    await world.advance(0);
    const [id] = await openedAbout(world, service);
    if (id === undefined) throw new Error(`nothing is open about ${service}`);
    const room = await roomOfIncident(world, id);
    return { id, room, card: { room, key: `card:${id}` } };
  };
  const pagesOf = (id: number) =>
    world.pagerduty.incidents.filter(({ title }) => title.startsWith(`INC-${id} `));
  /** Once this page has been sent, every page that was asked for before it has been too. */
  const pagedByHand = async (text: string) => {
    const before = world.pagerduty.incidents.length;
    await ask(world, 'oncall', `declare sev1 outage ${SERVICE} ${text}`);
    await world.slack.waitFor('the page', () => world.pagerduty.incidents.length > before);
  };

  it('pages for sev1 when ten more minutes have not helped, and only once', async () => {
    const { id, card } = await opened('paged-late', 40);
    await textWith(world, card, 'paged if it still fires in 10 minutes');
    await world.advance(10 * MINUTE_MS - 5_000);
    await pagedByHand('raised before the ten minutes are over');
    expect(pagesOf(id)).toHaveLength(0);
    await world.advance(5_000);
    await textWith(world, card, 'Paged: PagerDuty');
    expect(pagesOf(id)).toMatchObject([{ urgency: 'high', status: 'triggered' }]);
    for (let minute = 0; minute < 3; minute += 1) await world.advance(MINUTE_MS);
    await pagedByHand('raised after three more minutes');
    expect(pagesOf(id)).toHaveLength(1);
  });

  it('opens a low ticket for sev2, raised to high when it became sev1 and still is after ten minutes', async () => {
    const { id, card } = await opened('raised', 67);
    await textWith(world, card, 'nobody; a ticket is open: PagerDuty');
    expect(pagesOf(id)).toMatchObject([{ urgency: 'low' }]);
    await sendVerdicts(world, { service: 'raised', n: 100, good: 20, minutesAgo: { from: 5, to: 0 } });
    await world.advance(0);
    await textWith(world, card, 'SEV1 quality · raised');
    await world.advance(9 * MINUTE_MS);
    await pagedByHand('raised nine minutes later');
    expect(pagesOf(id)).toMatchObject([{ urgency: 'low' }]);
    await world.advance(MINUTE_MS);
    const ticket = pagesOf(id)[0]?.id;
    await textWith(world, card, `Paged: PagerDuty ${ticket}`);
    expect(pagesOf(id)).toMatchObject([{ id: ticket, urgency: 'high' }]);
    const puts = world.pagerduty.calls.filter(
      ({ method, path }) => method === 'PUT' && path.endsWith(String(ticket)),
    );
    expect(puts.map(({ body }) => body)).toMatchObject([{ incident: { urgency: 'high' } }]);
  });

  it('does not page when users are no longer exposed by then', async () => {
    const { id, room, card } = await opened('contained-meanwhile', 40);
    await ask(world, 'oncall', 'contain switched the feature off by hand', room);
    await world.advance(11 * MINUTE_MS);
    await pagedByHand('raised once it was contained');
    expect(pagesOf(id)).toHaveLength(0);
    await textWith(world, card, 'Contained:');
  });

  it('does not page when it recovered meanwhile', async () => {
    const { id, card } = await opened('recovered-meanwhile', 40);
    await world.advance(5 * MINUTE_MS);
    await sendVerdicts(world, {
      service: 'recovered-meanwhile',
      n: 400,
      good: 400,
      minutesAgo: { from: 5, to: 0 },
    });
    await world.advance(6 * MINUTE_MS);
    await world.advance(6 * MINUTE_MS);
    await pagedByHand('raised once it was well');
    expect(pagesOf(id)).toHaveLength(0);
    await textWith(world, card, 'SEV1 quality · recovered-meanwhile');
  });

  it('pages when the scores stop coming while it fires', async () => {
    const { id, card } = await opened('fell-silent', 40);
    await world.advance(40 * MINUTE_MS);
    await textWith(world, card, 'Paged: PagerDuty');
    expect(pagesOf(id)).toMatchObject([{ urgency: 'high' }]);
  });
});
