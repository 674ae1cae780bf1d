import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/db/database.ts';
import { freePort } from '../../src/demo/story/story-bot.ts';
import type { Flow } from '../../src/flow/flow.ts';
import { addAlertRoutes } from '../../src/http/alerts.ts';
import { createServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { deliver, firing, resolved, webhook } from '../harness/alerts.ts';
import { ROUTING_KEY, SERVICE, TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, declareIncident, textWith } from '../harness/people.ts';

const CRITICAL = { severity: 'critical' };

describe('alerts of Alertmanager', () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      for (const name of [
        'adopts',
        'adopts-late',
        'adopts-ticket',
        'shares-a',
        'shares-b',
        'pages',
        'joined',
      ])
        config.services[name] = { pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' } };
    });
  });
  afterAll(() => world.close());

  const cardOf = async (id: number) => ({ room: await roomOfIncident(world, id), key: `card:${id}` });
  const onlyAbout = async (service: string) => {
    const ids = await openedAbout(world, service);
    expect(ids).toHaveLength(1);
    return ids[0] as number;
  };
  /** What Alertmanager's own PagerDuty receiver sends for a group. */
  const pageByAlertmanager = async (groupKey: string, severity: 'critical' | 'warning' = 'critical') => {
    const answer = await fetch(`${world.pagerduty.url}/v2/enqueue`, {
      method: 'POST',
      body: JSON.stringify({
        routing_key: ROUTING_KEY,
        event_action: 'trigger',
        dedup_key: createHash('sha256').update(groupKey).digest('hex'),
        payload: { summary: `[FIRING] ${groupKey}`, source: 'Alertmanager', severity },
      }),
    });
    expect(answer.status).toBe(202);
    const opened = world.pagerduty.incidents.at(-1);
    if (opened === undefined) throw new Error('PagerDuty has no incident');
    return opened;
  };
  /** Once this page has been sent, what was asked of PagerDuty before it has been done. */
  const pagedByHand = async (text: string) => {
    await ask(world, 'oncall', `declare sev1 outage ${SERVICE} ${text}`);
    await world.slack.waitFor('the page', () =>
      world.pagerduty.incidents.some(({ title }) => title.endsWith(text)),
    );
  };
  const pagesAbout = (service: string) =>
    world.pagerduty.incidents.filter(({ title }) => title.includes(` · ${service}:`));

  it('open an incident that says what fires, and page for it at once when they are critical', async () => {
    const alert = firing('pages', { labels: CRITICAL, summary: '8 % of requests fail' });
    const answer = await deliver(world, webhook([alert]));
    const id = await onlyAbout('pages');
    expect(answer).toEqual({ status: 202, body: { incidents: [`INC-${id}`], rejected: [], notes: [] } });
    const card = await textWith(world, await cardOf(id), 'Paged: PagerDuty');
    expect(card).toContain('SEV1 outage · pages');
    expect(card).toContain('HighErrorRate: 8 % of requests fail');
    expect(pagesAbout('pages')).toMatchObject([{ urgency: 'high', status: 'triggered' }]);
  });

  it('change nothing when they are delivered twice, also at the same moment', async () => {
    const body = webhook([firing('twice'), firing('twice', { name: 'Slow' })]);
    const answers = await Promise.all([deliver(world, body), deliver(world, body), deliver(world, body)]);
    const id = await onlyAbout('twice');
    const named = answers.map(({ body: { incidents } }) => incidents.join());
    expect(named.sort()).toEqual(['', '', `INC-${id}`]);
    expect((await deliver(world, body)).body.incidents).toEqual([]);
  });

  it('read category, severity and environment from their labels', async () => {
    const labels = { category: 'cost', severity: 'info', environment: 'staging' };
    await deliver(world, webhook([firing('labelled', { labels })]));
    const id = await onlyAbout('labelled');
    const card = await textWith(world, await cardOf(id), 'Paged: nobody; the environment is staging');
    expect(card).toContain('SEV3 cost · labelled');
  });

  it('are taken with the defaults for words that are not known, and the answer says so', async () => {
    const labels = { severity: 'P9', category: 'weather' };
    const { status, body } = await deliver(world, webhook([firing('odd-words', { labels })]));
    expect(status).toBe(202);
    expect(body.notes).toEqual([
      'alerts[0].labels.category: is none of outage, quality, cost, safety; taken as outage',
      'alerts[0].labels.severity: is none of critical, page, sev1, warning, sev2, info, none, sev3; taken as sev2',
    ]);
    await textWith(world, await cardOf(await onlyAbout('odd-words')), 'SEV2 outage · odd-words');
  });

  it('join what a person declared about the same service and category, and nothing else', async () => {
    const declared = await declareIncident(world, 'sev2 outage joined it feels slow');
    const answer = await deliver(
      world,
      webhook([firing('joined'), firing('joined', { name: 'Spend', labels: { category: 'cost' } })]),
    );
    expect(answer.body.incidents).toHaveLength(2);
    expect(answer.body.incidents[0]).toBe(`INC-${declared.id}`);
    expect(await openedAbout(world, 'joined')).toHaveLength(2);
    await textWith(world, { room: declared.room, key: `card:${declared.id}` }, 'HighErrorRate');
  });

  it('raise the incident that a milder alert opened, and page for it', async () => {
    await deliver(world, webhook([firing('raised', { labels: { severity: 'warning' } })]));
    const card = await cardOf(await onlyAbout('raised'));
    await textWith(world, card, 'SEV2 outage · raised');
    await deliver(world, webhook([firing('raised', { name: 'Down', labels: CRITICAL })]));
    await textWith(world, card, 'SEV1 outage · raised');
    await onlyAbout('raised');
  });

  it('say on the timeline when they resolve, and open anew when they fire after the incident was resolved', async () => {
    const first = firing('again', { startsAt: new Date(Date.now() - 3_600_000) });
    await deliver(world, webhook([first]));
    const id = await onlyAbout('again');
    const room = await roomOfIncident(world, id);
    const ended = resolved(first);
    await deliver(world, webhook([ended]));
    await ask(world, 'oncall', 'resolve it is over', room);
    expect(await openedAbout(world, 'again')).toEqual([]);
    expect((await deliver(world, webhook([first]))).body.incidents).toEqual([]);
    const later = firing('again', { startsAt: new Date() });
    const [name] = (await deliver(world, webhook([later]))).body.incidents;
    expect(name).toBe(`INC-${await onlyAbout('again')}`);
    expect(name).not.toBe(`INC-${id}`);
    await deliver(world, webhook([ended]));
  });

  it.each([
    ['no JSON', '{"alerts":', /^body: not valid JSON/],
    ['no object', '[]', /^body: /],
    ['no alerts', { version: '4' }, /^alerts: /],
    [
      'no service',
      webhook([{ ...firing('x'), labels: {} }]),
      /^alerts\[0\]\.labels\.service: is missing: label the/,
    ],
    ['no fingerprint', webhook([{ ...firing('x'), fingerprint: '' }]), /^alerts\[0\]\.fingerprint: /],
    ['no start', webhook([{ ...firing('x'), startsAt: 'soon' }]), /^alerts\[0\]\.startsAt: /],
    ['no state', webhook([{ ...firing('x'), status: 'maybe' }]), /^alerts\[0\]\.status: /],
  ])('are refused with the field that is wrong: %s', async (_what, body, problem) => {
    const answer = await deliver(world, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(problem);
    expect(await openedAbout(world, 'x')).toEqual([]);
  });

  it('are kept when others are malformed', async () => {
    const { status, body } = await deliver(world, webhook([{ status: 'firing' }, firing('kept'), 7]));
    expect(status).toBe(202);
    expect(body.incidents).toEqual([`INC-${await onlyAbout('kept')}`]);
    expect(body.rejected).toContainEqual(expect.stringMatching(/^alerts\[0\]\.fingerprint: /));
    expect(body.rejected).toContainEqual(expect.stringMatching(/^alerts\[2\]: /));
  });

  it('keep a text with NUL and half a surrogate pair', async () => {
    const odd = firing('odd-text', { summary: 'a\u0000b \ud800 c' });
    expect((await deliver(world, webhook([odd]))).status).toBe(202);
    await onlyAbout('odd-text');
  });

  it('are refused without the token', async () => {
    expect((await deliver(world, webhook([firing('secret')]), 'wrong')).status).toBe(401);
    expect(await openedAbout(world, 'secret')).toEqual([]);
  });

  it('adopt the incident that PagerDuty has for them, with a note that links to the room', async () => {
    const groupKey = '{}:{service="adopts"}';
    const theirs = await pageByAlertmanager(groupKey, 'warning');
    await deliver(world, webhook([firing('adopts', { labels: CRITICAL })], { groupKey }));
    const id = await onlyAbout('adopts');
    const card = await cardOf(id);
    const said = await textWith(world, card, `Paged: PagerDuty ${theirs.id}, opened by Alertmanager`);
    expect(said).toContain('On-call engineer');
    expect(world.pagerduty.incidents.find((one) => one.id === theirs.id)?.urgency).toBe('high');
    const note = await world.slack.waitFor('the note', () =>
      world.pagerduty.notes.find(({ incidentId }) => incidentId === theirs.id),
    );
    expect(note.content).toContain(`INC-${id} SEV1 outage · adopts`);
    expect(note.content).toContain(`https://slack.com/app_redirect?channel=${card.room}`);
    expect(pagesAbout('adopts')).toEqual([]);
    await ask(world, 'oncall', 'resolve it is over', card.room);
    await world.slack.waitFor('the end of it in PagerDuty', () => theirs.status === 'resolved');
    expect(world.pagerduty.notes.filter(({ incidentId }) => incidentId === theirs.id)).toHaveLength(1);
  });

  it('adopt an incident that PagerDuty shows a moment later', async () => {
    const groupKey = '{}:{service="adopts-late"}';
    const asked = world.pagerduty.calls.length;
    await deliver(world, webhook([firing('adopts-late', { labels: CRITICAL })], { groupKey }));
    await world.slack.waitFor('the first look', () =>
      world.pagerduty.calls.slice(asked).some(({ query }) => query['incident_key'] !== undefined),
    );
    const theirs = await pageByAlertmanager(groupKey);
    const card = await cardOf(await onlyAbout('adopts-late'));
    await textWith(world, card, `Paged: PagerDuty ${theirs.id}, opened by Alertmanager`);
    expect(pagesAbout('adopts-late')).toEqual([]);
  });

  it('page by themselves when PagerDuty has nothing for them after a moment, or something that has ended', async () => {
    const groupKey = '{}:{service="support-answers"}';
    const ended = await pageByAlertmanager(groupKey);
    world.pagerduty.as('PUSR1').resolve(ended.id);
    await deliver(world, webhook([firing(SERVICE, { labels: CRITICAL })], { groupKey }));
    const card = await cardOf(await onlyAbout(SERVICE));
    await textWith(world, card, /Paged: PagerDuty Q\w+ \(/);
    expect(pagesAbout(SERVICE)).toMatchObject([{ urgency: 'high', status: 'triggered' }]);
  });

  it('keep the title of an adopted ticket that is raised to a page', async () => {
    const groupKey = '{}:{service="adopts-ticket"}';
    const theirs = await pageByAlertmanager(groupKey, 'warning');
    await deliver(world, webhook([firing('adopts-ticket')], { groupKey }));
    const card = await cardOf(await onlyAbout('adopts-ticket'));
    await textWith(world, card, `nobody; a ticket is open: PagerDuty ${theirs.id}, opened by Alertmanager`);
    expect(theirs.urgency).toBe('low');
    await ask(world, 'oncall', 'severity sev1', card.room);
    await textWith(world, card, `Paged: PagerDuty ${theirs.id}, opened by Alertmanager`);
    expect(theirs).toMatchObject({ urgency: 'high', title: `[FIRING] ${groupKey}` });
  });

  it('let an incident that two rooms adopted end with the second', async () => {
    const groupKey = '{}:{alertname="Shared"}';
    const theirs = await pageByAlertmanager(groupKey);
    const both = ['shares-a', 'shares-b'].map((service) => firing(service, { labels: CRITICAL }));
    await deliver(world, webhook(both, { groupKey }));
    const cards = [];
    for (const service of ['shares-a', 'shares-b']) {
      const card = await cardOf(await onlyAbout(service));
      await textWith(world, card, `Paged: PagerDuty ${theirs.id}, opened by Alertmanager`);
      cards.push(card);
    }
    const putsTo = () =>
      world.pagerduty.calls.filter(({ method, path }) => method === 'PUT' && path.endsWith(theirs.id));
    await ask(world, 'oncall', 'resolve one is over', cards[0]?.room);
    await pagedByHand('raised after the first of two was over');
    expect(theirs.status).toBe('triggered');
    await ask(world, 'oncall', 'resolve the other is over', cards[1]?.room);
    await world.slack.waitFor('the end of it in PagerDuty', () => theirs.status === 'resolved');
    expect(putsTo()).toHaveLength(1);
  });

  it('have left this on the record', async () => {
    await world.stopBot();
    const { db, close } = await world.database.open();
    const said = async (service: string) => {
      const rows = await db
        .selectFrom('incident_event')
        .innerJoin('incident', 'incident.id', 'incident_event.incident_id')
        .select(['incident_event.text', 'incident.id'])
        .where('incident.service', '=', service)
        .where('kind', '=', 'signal')
        .orderBy('incident_event.id')
        .execute();
      return rows.map(({ text }) => text);
    };
    expect(await said('twice')).toEqual(['HighErrorRate; Slow']);
    expect(await said('again')).toEqual([
      'HighErrorRate',
      'No longer firing: HighErrorRate',
      'HighErrorRate',
    ]);
    expect(await said('raised')).toEqual(['HighErrorRate', 'Also firing: Down']);
    const { rule, started } = await db
      .selectFrom('incident')
      .innerJoin('milestone', 'milestone.incident_id', 'incident.id')
      .select(['rule', 'milestone.at as started'])
      .where('service', '=', 'pages')
      .where('milestone.name', '=', 'started')
      .executeTakeFirstOrThrow();
    expect(rule).toBe('alertmanager/HighErrorRate');
    expect(Date.now() - started.getTime()).toBeGreaterThan(60_000);
    await close();
  });

  it('are asked for again while the database is away', async () => {
    const databaseUrl = `postgres://nobody@127.0.0.1:${await freePort()}/nothing`;
    const { db, close } = await openDatabase({ databaseUrl, dataDir: world.env['DATA_DIR'] as string });
    const server = createServer();
    const config = { environment: 'production', services: {} } as Flow['config'];
    const flow = { db, config, clock: systemClock, log: createLog('silent'), pager: null };
    addAlertRoutes(server, { flow, tokens: [TOKEN] });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    expect(await deliver({ url }, webhook([firing('away')]))).toEqual({
      status: 503,
      body: { error: 'the alerts could not be stored; send them again' },
    });
    await server.close();
    await close();
  });
});
