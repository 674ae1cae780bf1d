import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PagerDutyIncident } from '../../src/demo/pagerduty/pagerduty-shapes.ts';
import { signWebhook } from '../../src/demo/pagerduty/pagerduty-webhooks.ts';
import { ROUTING_KEY, SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened, textsOf, textWith } from '../harness/people.ts';

const OLD_SECRET = 'the-secret-before';
const SECRET = 'the-secret-now';
const ACCOUNT = {
  users: [
    { id: 'PUSR2', name: 'Approver', email: 'approver@example.test' },
    { id: 'PUSR9', name: 'Somebody <!here>', email: 'nobody@elsewhere.test' },
  ],
};

interface Paged extends Opened {
  page: PagerDutyIncident;
  card: { room: string; key: string };
}

async function paged(world: World, text: string): Promise<Paged> {
  const before = world.pagerduty.incidents.length;
  const opened = await declareIncident(world, text);
  const page = await world.slack.waitFor('a page', () => world.pagerduty.incidents.at(before));
  const card = { room: opened.room, key: `card:${opened.id}` };
  await textWith(world, card, /PagerDuty (Q|took)/);
  return { ...opened, page, card };
}

function noticeSaying(world: World, { room }: Opened, wanted: string | RegExp): Promise<string> {
  return world.slack.waitFor(`a notice saying ${wanted}`, async () =>
    (await textsOf(world, room, 'notice')).find((text) => text.search(wanted) >= 0),
  );
}

function eventOf(
  type: string,
  page: PagerDutyIncident,
  more: { at?: string; data?: object; id?: string } = {},
) {
  const event = {
    id: more.id ?? `EV${Math.random()}`,
    event_type: type,
    resource_type: 'incident',
    occurred_at: more.at ?? new Date().toISOString(),
    agent: { id: 'PUSR2', type: 'user_reference', summary: 'Approver' },
    client: null,
    data: {
      id: page.id,
      type: 'incident',
      status: page.status,
      urgency: 'high',
      assignees: [],
      ...more.data,
    },
  };
  return JSON.stringify({ event });
}

function send(world: World, body: string, secret = SECRET): Promise<number> {
  const headers = signWebhook(body, secret);
  return fetch(`${world.url}/pagerduty/webhook`, { method: 'POST', headers, body }).then(
    ({ status }) => status,
  );
}

describe('what happens in PagerDuty', () => {
  let world: World;
  beforeAll(async () => {
    const env = { PAGERDUTY_WEBHOOK_SECRET: `${SECRET},${OLD_SECRET}` };
    world = await startWorld({ account: ACCOUNT, env });
    world.pagerduty.webhooks.connect(`${world.url}/pagerduty/webhook`, 'another', OLD_SECRET);
  });
  afterAll(() => world.close());

  it('acknowledged-there-is-acknowledged-here-by-the-same-person', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} wrong answers`);
    world.pagerduty.as('PUSR2').acknowledge(incident.page.id);
    const card = await textWith(world, incident.card, 'is on it');
    expect(card).toContain(`<@${world.slack.userId('approver')}> is on it`);
    expect(card).toContain('acknowledged there by Approver');
    await world.pagerduty.webhooks.idle();
    expect(world.pagerduty.webhooks.deliveries.map(({ status }) => status)).toEqual([202, 202]);
    expect(incident.page.acknowledgements).toHaveLength(1);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('acknowledged-by-somebody-unknown-is-shown-by-name-and-the-bots-own-user-acknowledges-nothing', async () => {
    const incident = await paged(world, `sev1 cost ${SERVICE} tokens`);
    const body = eventOf('incident.acknowledged', incident.page, { data: { status: 'acknowledged' } });
    expect(await send(world, body.replace('PUSR2', 'PBOTUSER'))).toBe(202);
    await textWith(world, incident.card, 'acknowledged there by llm-incident');
    expect(await textWith(world, incident.card, 'Paged:')).not.toContain('is on it');
    world.pagerduty.as('PUSR9').acknowledge(incident.page.id);
    const card = await textWith(world, incident.card, 'is on it');
    expect(card).toContain('Somebody &lt;!here&gt; (PagerDuty) is on it');
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('resolved-there-is-shown-and-resolves-nothing-here', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} still wrong`);
    world.pagerduty.as('PUSR2').resolve(incident.page.id);
    const said = await noticeSaying(world, incident, 'was resolved by Approver');
    expect(said).toContain(`INC-${incident.id} stays open here`);
    expect(said).not.toContain('<@');
    await textWith(world, incident.card, 'resolved there by Approver, which ends nothing here');
    expect(await ask(world, 'oncall', 'list')).toContain(`INC-${incident.id}`);
    const before = world.pagerduty.incidents.length;
    expect(await ask(world, 'oncall', 'page', incident.room)).toContain('Paging PagerDuty service');
    const anew = await world.slack.waitFor('another page', () => world.pagerduty.incidents.at(before));
    expect(anew).toMatchObject({ status: 'triggered', urgency: 'high' });
    await textWith(world, incident.card, `Paged: PagerDuty ${anew.id}`);
    expect(await ask(world, 'oncall', 'page', incident.room)).toContain('It was paged before');
    await ask(world, 'oncall', 'resolve done', incident.room);
    await textWith(world, incident.card, 'Resolved:');
    await world.slack.waitFor('the end', () => (anew.status === 'resolved' ? true : undefined));
  });

  it('handing-over-escalation-and-priority-are-on-the-card-and-push-nobody', async () => {
    const incident = await paged(world, `sev1 outage ${SERVICE} slow`);
    const approver = world.pagerduty.as('PUSR2');
    approver.reassign(incident.page.id, 'PUSR9');
    await textWith(world, incident.card, 'handed to Somebody &lt;!here&gt;');
    approver.escalate(incident.page.id, 1);
    await textWith(world, incident.card, 'escalated to On-call engineer');
    approver.prioritise(incident.page.id, 'P3');
    await textWith(world, incident.card, 'priority P3');
    expect(await textsOf(world, incident.room, 'notice')).toEqual([]);
    await ask(world, 'oncall', `page <@${world.slack.userId('approver')}> help`, incident.room);
    await world.slack.waitFor('the request', () => incident.page.incidents_responders.at(0));
    approver.answer(incident.page.id, 'declined');
    await noticeSaying(world, incident, /^Approver declined in PagerDuty/);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('notes-are-mirrored-once-each-way-and-come-back-from-nowhere', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} notes`);
    world.pagerduty.as('PUSR9').note(incident.page.id, 'restarted <!channel> the index');
    await noticeSaying(
      world,
      incident,
      'Note by Somebody &lt;!here&gt; in PagerDuty: restarted &lt;!channel&gt; the index',
    );
    await world.pagerduty.webhooks.idle();
    const delivered = world.pagerduty.webhooks.deliveries.at(-1);
    expect(await world.pagerduty.webhooks.replay(delivered)).toBe(202);
    await ask(world, 'oncall', 'note looked at v14', incident.room);
    const mine = await world.slack.waitFor('our note', () =>
      world.pagerduty.notes.find(({ content }) => content.endsWith('looked at v14')),
    );
    await world.pagerduty.webhooks.idle();
    const trimmed = { id: mine.id, incident: { id: incident.page.id }, content: 'cut', trimmed: true };
    expect(await send(world, eventOf('incident.annotated', incident.page, { data: trimmed }))).toBe(202);
    const update = { id: 'U1', incident: { id: incident.page.id }, message: 'we are on it', trimmed: false };
    const body = eventOf('incident.status_update_published', incident.page, { data: update });
    expect(await send(world, body, OLD_SECRET)).toBe(202);
    await noticeSaying(world, incident, 'Status update by Approver in PagerDuty: we are on it');
    expect(await textsOf(world, incident.room, 'notice')).toHaveLength(2);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('what-is-older-changes-nothing-but-an-acknowledgement-that-still-holds', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} out of order`);
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const newest = { status: 'acknowledged', priority: { id: 'PRIO2', summary: 'P2' } };
    expect(
      await send(world, eventOf('incident.priority_updated', incident.page, { at: at(60), data: newest })),
    ).toBe(202);
    await textWith(world, incident.card, 'priority P2');
    const older = { status: 'triggered', priority: { id: 'PRIO4', summary: 'P4' } };
    expect(
      await send(world, eventOf('incident.priority_updated', incident.page, { at: at(50), data: older })),
    ).toBe(202);
    const ended = { status: 'resolved' };
    expect(await send(world, eventOf('incident.resolved', incident.page, { at: at(52), data: ended }))).toBe(
      202,
    );
    const acked = { status: 'acknowledged' };
    expect(
      await send(world, eventOf('incident.acknowledged', incident.page, { at: at(55), data: acked })),
    ).toBe(202);
    expect(await textWith(world, incident.card, 'is on it')).toContain('priority P2');
    expect(await textsOf(world, incident.room, 'notice')).toEqual([]);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('what-is-told-late-still-says-who-took-it-and-who-has-it-now', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} told late`);
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    const told = (type: string, seconds: number, data: object) =>
      send(world, eventOf(type, incident.page, { at: at(seconds), data }));
    expect(await told('incident.resolved', 60, { status: 'resolved' })).toBe(202);
    await textWith(world, incident.card, 'resolved there');
    expect(await told('incident.acknowledged', 50, { status: 'acknowledged' })).toBe(202);
    const card = await textWith(world, incident.card, 'is on it');
    expect(card).toContain('resolved there');
    const niner = { status: 'triggered', assignees: [{ id: 'PUSR9', summary: 'Niner' }] };
    const second = { ...niner, assignees: [{ id: 'PUSR2', summary: 'Second' }] };
    expect(await told('incident.reassigned', 40, niner)).toBe(202);
    await textWith(world, incident.card, 'handed to Niner');
    expect(await told('incident.reassigned', 30, second)).toBe(202);
    await world.pagerduty.webhooks.idle();
    await world.now();
    const shown = await textWith(world, incident.card, 'handed to Niner');
    expect(shown).toContain('resolved there');
    const timeline = await ask(world, 'oncall', 'timeline', incident.room);
    expect(timeline).toContain('was handed to Niner');
    expect(timeline).not.toContain('handed to Second');
    expect(await textsOf(world, incident.room, 'notice')).toHaveLength(1);
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('a-merge-takes-the-receipt-along', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} merged away`);
    const other = await paged(world, `sev1 outage ${SERVICE} merged into`);
    world.pagerduty.as('PUSR2').merge(incident.page.id, other.page.id);
    await world.pagerduty.webhooks.idle();
    await textWith(world, incident.card, `Paged: PagerDuty ${other.page.id}`);
    await ask(world, 'oncall', `page <@${world.slack.userId('approver')}> after the merge`, incident.room);
    await world.slack.waitFor('a request on the survivor', () => other.page.incidents_responders.at(0));
    world.pagerduty.as('PUSR2').acknowledge(other.page.id);
    await textWith(world, incident.card, 'is on it');
    await textWith(world, other.card, 'is on it');
    await ask(world, 'oncall', 'resolve done', incident.room);
    await textWith(world, incident.card, 'Resolved:');
    expect(other.page.status).toBe('acknowledged');
    await ask(world, 'oncall', 'resolve done', other.room);
    await world.slack.waitFor('the end', () => (other.page.status === 'resolved' ? true : undefined));
  });

  it('a-wrong-signature-is-refused-and-kept-nowhere-and-what-is-no-use-is-taken', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} signatures`);
    const body = eventOf('incident.acknowledged', incident.page, { data: { status: 'acknowledged' } });
    const post = (headers: Record<string, string>, sent = body) =>
      fetch(`${world.url}/pagerduty/webhook`, { method: 'POST', headers, body: sent }).then(
        ({ status }) => status,
      );
    expect(await send(world, body, 'wrong')).toBe(401);
    expect(await post({ 'content-type': 'application/json' })).toBe(401);
    expect(await post(signWebhook(`${body} `, SECRET))).toBe(401);
    const useless = ['not json', '{}', eventOf('incident.workflow.started', incident.page)];
    useless.push(eventOf('pagey.ping', incident.page), eventOf('incident.annotated', incident.page));
    for (const one of useless) expect(await send(world, one)).toBe(200);
    const strange = eventOf('incident.acknowledged', { ...incident.page, id: 'QOTHER' });
    expect(await send(world, strange)).toBe(202);
    await world.now();
    expect(await textWith(world, incident.card, 'Paged:')).not.toContain('is on it');
    await world.stopBot();
    const { db, close } = await world.database.open();
    const kept = await db
      .selectFrom('job')
      .select(['payload', 'state'])
      .where('kind', '=', 'take-page-event')
      .execute();
    await close();
    const about = kept.filter(({ payload }) => JSON.stringify(payload).includes(incident.page.id));
    expect(about.map(({ payload }) => (payload['event'] as { type: string }).type)).toEqual([
      'incident.triggered',
    ]);
    expect(kept.filter(({ state }) => state !== 'done')).toEqual([]);
    await world.restart();
  });
});

describe('a page that went out as an event', () => {
  let world: World;
  beforeAll(async () => {
    const config = {
      services: {
        [SERVICE]: {
          pagerduty: {
            routing_key: '${OWN_ROUTING_KEY}',
            token: '${OWN_TOKEN}',
            from: 'bot@example.test',
            webhook_secret: '${OWN_SECRET}',
          },
        },
      },
    };
    const env = {
      OWN_ROUTING_KEY: ROUTING_KEY,
      OWN_TOKEN: 'pd-token',
      OWN_SECRET: SECRET,
      PAGERDUTY_API_TOKEN: '',
    };
    world = await startWorld({ account: ACCOUNT, config, env });
    world.pagerduty.webhooks.connect(`${world.url}/pagerduty/webhook`, SECRET);
  });
  afterAll(() => world.close());

  it('is-known-by-the-key-of-its-alert-with-the-access-of-the-service-itself', async () => {
    const incident = await paged(world, `sev1 quality ${SERVICE} wrong answers`);
    expect(incident.page.incident_key).toBeNull();
    world.pagerduty.as('PUSR2').acknowledge(incident.page.id);
    expect(await textWith(world, incident.card, 'is on it')).toContain('acknowledged there by Approver');
    const other = await declareIncident(world, 'sev1 quality of another service');
    await textWith(world, { room: other.room, key: `card:${other.id}` }, 'nobody; neither an API token');
  });

  it('is-not-lost-while-no-secret-is-configured', async () => {
    await world.stopBot();
    const { OWN_SECRET: _gone, ...rest } = world.env;
    Object.assign(world.env, rest, { OWN_SECRET: ',' });
    await world.restart();
    expect(await send(world, '{}')).toBe(503);
  });
});
