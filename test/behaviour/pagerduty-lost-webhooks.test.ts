import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PagerDutyIncident } from '../../src/demo/pagerduty/pagerduty-shapes.ts';
import { signWebhook } from '../../src/demo/pagerduty/pagerduty-webhooks.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened, textsOf, textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;
const SECRET = 'webhook-secret';

/** Nothing subscribes to the account's changes: every webhook is lost. */
describe('what happens in PagerDuty while its webhooks are lost', { timeout: 60_000 }, () => {
  let world: World;
  beforeAll(async () => {
    const account = { users: [{ id: 'PUSR2', name: 'Approver', email: 'approver@example.test' }] };
    world = await startWorld({ account, env: { PAGERDUTY_WEBHOOK_SECRET: SECRET } });
  });
  afterAll(() => world.close());

  const paged = async (text: string) => {
    const opened = await declareIncident(world, `sev1 ${text}`);
    const card = { room: opened.room, key: `card:${opened.id}` };
    const id = /PagerDuty (Q\w+)/.exec(await textWith(world, card, /PagerDuty Q/))?.[1];
    const page = world.pagerduty.incidents.find((one) => one.id === id);
    if (page === undefined) throw new Error(`PagerDuty has no ${id}`);
    return { ...opened, page, card };
  };
  const looks = ({ id }: PagerDutyIncident) =>
    world.pagerduty.calls.filter(({ method, path }) => method === 'GET' && path === `/incidents/${id}`)
      .length;
  const saying = async ({ room }: Opened, wanted: string) =>
    (await textsOf(world, room, 'notice')).filter((text) => text.includes(wanted));
  const approver = () => world.pagerduty.as('PUSR2');

  it('an acknowledgement is seen within five minutes, once, and its webhook changes nothing when it comes after all', async () => {
    const incident = await paged(`quality ${SERVICE} wrong answers`);
    const happened = new Date().toISOString();
    approver().acknowledge(incident.page.id);
    await world.advance(5 * MINUTE_MS);
    const card = await textWith(world, incident.card, 'is on it');
    expect(card).toContain(`<@${world.slack.userId('approver')}> is on it`);
    await textWith(world, incident.card, 'acknowledged there by Approver');
    const event = {
      id: 'EVLATE',
      event_type: 'incident.acknowledged',
      occurred_at: happened,
      agent: { id: 'PUSR2', type: 'user_reference', summary: 'Approver' },
      data: { id: incident.page.id, type: 'incident', status: 'acknowledged', urgency: 'low', assignees: [] },
    };
    const body = JSON.stringify({ event });
    const headers = signWebhook(body, SECRET);
    const answer = await fetch(`${world.url}/pagerduty/webhook`, { method: 'POST', headers, body });
    expect(answer.status).toBe(202);
    const before = looks(incident.page);
    await world.advance(5 * MINUTE_MS);
    await world.slack.waitFor('another look', () => looks(incident.page) > before || undefined);
    const shown = await ask(world, 'oncall', 'timeline', incident.room);
    expect(shown.match(/Acknowledged/g)).toHaveLength(1);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('an end there is said once and ends nothing here, also when PagerDuty was away for a look', async () => {
    const incident = await paged(`outage ${SERVICE} slow`);
    approver().resolve(incident.page.id);
    const path = `/incidents/${incident.page.id}`;
    world.pagerduty.fault({ kind: '500', method: 'GET', path, times: 1 });
    await world.advance(5 * MINUTE_MS);
    await world.slack.waitFor('a look in vain', () => looks(incident.page) > 0 || undefined);
    await world.advance(5 * MINUTE_MS);
    await textWith(world, incident.card, 'resolved there, which ends nothing here');
    await world.advance(5 * MINUTE_MS);
    await world.slack.waitFor('a third look', () => looks(incident.page) > 2 || undefined);
    expect(await saying(incident, 'was resolved')).toHaveLength(1);
    expect(await ask(world, 'oncall', 'list')).toContain(`INC-${incident.id}`);
    await ask(world, 'oncall', 'resolve done', incident.room);
    const last = looks(incident.page);
    await world.advance(10 * MINUTE_MS);
    await textWith(world, incident.card, 'Resolved:');
    expect(looks(incident.page)).toBe(last);
  });

  it('on-call who is called again takes the incident by answering that call', async () => {
    const incident = await paged(`quality ${SERVICE} nobody takes it`);
    const before = world.pagerduty.incidents.length;
    await world.advance(5 * MINUTE_MS);
    const call = await world.slack.waitFor('a second call', () => world.pagerduty.incidents.at(before));
    await world.slack.waitFor('its receipt', async () =>
      (await ask(world, 'oncall', 'timeline', incident.room)).includes(call.id) ? true : undefined,
    );
    world.pagerduty.as('PUSR1').acknowledge(call.id);
    await world.advance(5 * MINUTE_MS);
    const card = await textWith(world, incident.card, 'is on it');
    expect(card).toContain(`<@${world.slack.userId('oncall')}> is on it`);
    await world.slack.waitFor('the page to be acknowledged', () =>
      incident.page.status === 'acknowledged' ? true : undefined,
    );
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('a merge takes the receipt along', async () => {
    const incident = await paged(`quality ${SERVICE} merged away`);
    const other = await paged(`cost ${SERVICE} merged into`);
    approver().merge(incident.page.id, other.page.id);
    await world.advance(5 * MINUTE_MS);
    await textWith(world, incident.card, `Paged: PagerDuty ${other.page.id}`);
    for (const { room } of [incident, other]) await ask(world, 'oncall', 'decline over', room);
  });
});
