import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliver, firing, webhook } from '../harness/alerts.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PROOF = 'proof from live calls';

describe('an incident that becomes worse than it was', { timeout: 90_000 }, () => {
  let world: World;
  const user = (id: string, name: string) => ({ id, name, email: `${name.toLowerCase()}@example.test` });
  beforeAll(async () => {
    const level = (n: number, who: ReturnType<typeof user>) => ({
      escalationPolicyId: 'PPOL1',
      level: n,
      user: who,
    });
    const users = [user('PUSR1', 'Oncall'), user('PUSR3', 'Approver'), user('PUSR4', 'Lead')];
    const oncalls = [level(1, user('PUSR1', 'Oncall')), level(2, user('PUSR2', 'Second'))];
    world = await startWorld({ account: { users: [...users, user('PUSR2', 'Second')], oncalls } });
  });
  afterAll(() => world.close());

  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const notices = ({ room }: Opened, wanted: string) =>
    textsOf(world, room, 'notice').then((all) => all.filter((text) => text.includes(wanted)));
  const said = (incident: Opened, wanted: string, times = 1) =>
    world.slack.waitFor(`${wanted}, ${times} times`, async () => {
      const found = await notices(incident, wanted);
      return found.length >= times ? found.at(-1) : undefined;
    });
  const cardOf = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const called = (who: string, since: number) =>
    world.slack.waitFor(`${who} to be paged`, () =>
      JSON.stringify(world.pagerduty.incidents.slice(since)).includes(who) ? true : undefined,
    );

  it('a-ticket-that-is-raised-late-has-the-whole-ladder-from-then-on', async () => {
    const incident = await declareIncident(world, `sev2 quality ${SERVICE} raised late`, 'product');
    const before = world.pagerduty.incidents.length - 1;
    await world.advance(30 * MINUTE_MS);
    await said(incident, 'not contained after 10 minutes');
    await ask(world, 'product', 'severity sev1', incident.room);
    await textWith(world, cardOf(incident), /Paged: PagerDuty Q/);
    await world.advance(5 * MINUTE_MS);
    expect(await said(incident, 'Nobody has said')).toContain(mention('oncall'));
    await world.advance(5 * MINUTE_MS);
    expect(await said(incident, 'not contained after 10 minutes', 2)).toContain(mention('approver'));
    await called('PUSR3', before);
    await world.advance(10 * MINUTE_MS);
    const last = await said(incident, 'not contained after 20 minutes');
    expect(last).toContain(mention('lead'));
    expect(last).toContain('Nobody has acknowledged it.');
    await called('PUSR2', before);
    expect(await notices(incident, 'Nobody has acknowledged INC-')).toEqual([]);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  /** As the proof of a mitigation does it. */
  async function mitigated({ id }: Opened): Promise<void> {
    const at = await world.now();
    await world.stopBot();
    const { db, close } = await world.database.open();
    await db.updateTable('incident').set({ status: 'mitigated' }).where('id', '=', id).execute();
    const milestone = { incident_id: id, name: 'mitigated', at, recorded_at: at, recorded_by: PROOF };
    await db.insertInto('milestone').values(milestone).execute();
    await close();
    await world.restart();
  }

  it('what-fires-again-is-not-contained-whoever-said-so-and-pages-and-climbs-anew', async () => {
    const incident = await declareIncident(world, `sev1 outage ${SERVICE} again`);
    const first = /PagerDuty (Q\w+)/.exec(await textWith(world, cardOf(incident), /Paged: PagerDuty Q/))?.[1];
    const page = () => world.pagerduty.incidents.find(({ id }) => id === first);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    await world.advance(10 * MINUTE_MS);
    await said(incident, 'not contained after 10 minutes');
    await ask(world, 'oncall', 'contain disabled by hand', incident.room);
    await mitigated(incident);
    await world.advance(HOUR_MS);
    const before = world.pagerduty.incidents.length;
    const startsAt = await world.now();
    const { status } = await deliver(
      world,
      webhook([firing(SERVICE, { startsAt, labels: { category: 'outage', severity: 'critical' } })]),
    );
    expect(status).toBe(202);
    await said(incident, 'It fires again');
    const anew = await world.slack.waitFor('another page', () => world.pagerduty.incidents.at(before));
    expect(anew).toMatchObject({ status: 'triggered', urgency: 'high' });
    expect(page()?.status).toBe('resolved');
    const shown = await textWith(world, cardOf(incident), `Paged: PagerDuty ${anew.id}`);
    expect(shown).not.toContain('Contained:');
    expect(await ask(world, 'oncall', 'timeline', incident.room)).toMatch(
      /Open again\. It was contained at \d\d:\d\d UTC, mitigated at \d\d:\d\d UTC\./,
    );
    await world.advance(10 * MINUTE_MS);
    expect(await said(incident, 'not contained after 10 minutes', 2)).toContain(mention('approver'));
    await world.advance(10 * MINUTE_MS);
    expect(await said(incident, 'not contained after 20 minutes')).toContain(mention('lead'));
    await ask(world, 'oncall', 'contain disabled again', incident.room);
    await said(incident, 'disabled again');
    await ask(world, 'oncall', 'resolve done', incident.room);
    await world.slack.waitFor('all to be over there', () =>
      world.pagerduty.incidents.slice(before).every((one) => one.status === 'resolved') ? true : undefined,
    );
  });
});
