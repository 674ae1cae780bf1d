import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PagerDutyIncident } from '../../src/demo/pagerduty/pagerduty-shapes.ts';
import { ROUTING_KEY, SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, membersWith, type Opened, textsOf, textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;

const ACCOUNT = {
  oncalls: [
    { escalationPolicyId: 'PPOL1', level: 1, user: user('PUSR1', 'On-call engineer', 'oncall@example.test') },
    { escalationPolicyId: 'PPOL1', level: 2, user: user('PUSR4', 'Second line', 'second@example.test') },
  ],
  users: [user('PUSR2', 'Approver', 'Approver@Example.test'), user('PUSR3', 'Lead', 'lead@elsewhere.test')],
};

function user(id: string, name: string, email: string) {
  return { id, name, email };
}

describe('people who are called by name', () => {
  let world: World;
  beforeAll(async () => {
    // The ladder calls people as well; an hour is after the end of this test.
    const ladder = { acknowledge_within_minutes: 60, contain_within_minutes: 60, escalate_after_minutes: 60 };
    const config = { ...ladder, pagerduty_priorities: { sev1: 'P1', sev2: 'p2' } };
    world = await startWorld({ account: ACCOUNT, config, start: false });
    withPeople(world, { PUSR3: world.slack.userId('lead') });
    await world.restart();
  });
  afterAll(() => world.close());

  const at = (who: string) => `<@${world.slack.userId(who)}|somebody>`;
  const notices = ({ room }: Opened) => textsOf(world, room, 'notice');
  const noticeSaying = (incident: Opened, wanted: string | RegExp) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await notices(incident)).find((text) => text.search(wanted) >= 0),
    );
  const rung = (id: string) => world.pagerduty.notifications.filter((one) => one.user.id === id).length;
  const ringing = (id: string, times: number) =>
    world.slack.waitFor(`${id} to ring`, () => (rung(id) >= times ? true : undefined), 30_000);
  const pageOf = async (incident: Opened): Promise<PagerDutyIncident> => {
    const text = await textWith(world, { room: incident.room, key: `card:${incident.id}` }, /PagerDuty Q/);
    const id = /PagerDuty (Q\w+)/.exec(text)?.[1];
    const found = world.pagerduty.incidents.find((one) => one.id === id);
    if (found === undefined) throw new Error(`no page in ${text}`);
    return found;
  };
  let incident: Opened;
  let page: PagerDutyIncident;

  it('are-mentioned-let-in-and-asked-to-respond-on-the-open-page-once', async () => {
    incident = await declareIncident(world, `sev1 quality ${SERVICE} wrong answers`);
    page = await pageOf(incident);
    expect(page.priority?.summary).toBe('P1');
    expect(
      await ask(world, 'oncall', `page ${at('comms')} ${at('approver')} look at v14`, incident.room),
    ).toBe(
      `Calling <@${world.slack.userId('comms')}>, <@${world.slack.userId('approver')}>; the receipt follows.`,
    );
    await world.slack.replay();
    await ringing('PUSR2', 1);
    const mentioned = await noticeSaying(incident, 'calls you to');
    expect(mentioned).toMatch(/^<@U\w+> <@U\w+> \S+ calls you to INC-\d+\. look at v14$/);
    await membersWith(world, incident.room, ['comms']);
    expect(page.incidents_responders).toMatchObject([
      {
        state: 'pending',
        user: { id: 'PUSR2' },
        message: expect.stringContaining('look at v14\nRoom: https://'),
      },
    ]);
    await noticeSaying(incident, /^Could not be paged, no PagerDuty user found: comms\.$/);
    expect(rung('PUSR2')).toBe(1);
    expect(world.pagerduty.incidents).toHaveLength(1);
  });

  it('get-an-incident-of-their-own-when-the-page-would-not-ring-again-and-it-ends-with-ours', async () => {
    await ask(world, 'lead', `page ${at('oncall')} ${at('approver')} again`, incident.room);
    await ringing('PUSR2', 2);
    const own = world.pagerduty.incidents.at(-1);
    expect(own).toMatchObject({ urgency: 'high', title: expect.stringContaining('again') });
    expect(own?.incident_key?.startsWith(`${page.incident_key}/`)).toBe(true);
    expect(own?.assignments.map(({ assignee }) => assignee.id)).toEqual(['PUSR1', 'PUSR2']);
    const second = await declareIncident(world, `sev1 outage ${SERVICE} another`);
    await pageOf(second);
    world.pagerduty.fault({ kind: '402', path: '/incidents/', method: 'POST' });
    await ask(world, 'oncall', `page ${at('approver')} no responders here`, second.room);
    await ringing('PUSR2', 3);
    expect(world.pagerduty.incidents.at(-1)?.assignments.map(({ assignee }) => assignee.id)).toEqual([
      'PUSR2',
    ]);
    await ask(world, 'oncall', 'resolve done', second.room);
    await world.slack.waitFor('everything of it to be resolved', () =>
      world.pagerduty.open().length === 2 ? true : undefined,
    );
    expect(world.pagerduty.open()).toEqual([page, own]);
  });

  it('are-found-by-the-table-of-people-and-paged-from-a-known-address-while-slack-cannot-be-asked', async () => {
    world.slack.fault({ method: 'users.info', kind: '500', times: 6 });
    await ask(world, 'oncall', `page ${at('lead')} ${at('approver')}`, incident.room);
    await ringing('PUSR3', 1);
    await ringing('PUSR2', 4);
    world.slack.clearFaults();
  });

  it('are-those-of-a-level-in-pagerduty-too-and-the-room-learns-whom-nothing-reached', async () => {
    world.pagerduty.silence('PUSR4');
    const said = await ask(world, 'oncall', 'page level 2 who knows the index', incident.room);
    expect(said).toBe('Calling Second line; the receipt follows.');
    await world.slack.waitFor('a request', () =>
      page.incidents_responders.find((one) => one.user.id === 'PUSR4'),
    );
    expect(await ask(world, 'oncall', 'page level 7', incident.room)).toBe('Nobody is on call there.');
    expect(await ask(world, 'oncall', `page ${at('oncall')}`, incident.room)).toContain('only you');
    expect(await ask(world, 'oncall', 'page whoever', incident.room)).toContain('page @PERSON');
    await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'on call: On-call engineer');
    for (const minutes of [1, 2, 7]) await world.advance(minutes * MINUTE_MS);
    await noticeSaying(incident, /^PagerDuty: not notified after ten minutes: Second line\.$/);
    const card = { room: incident.room, key: `card:${incident.id}` };
    await textWith(world, card, /notified On-call engineer by push/);
    expect((await notices(incident)).filter((text) => text.includes('notified'))).toHaveLength(1);
  });

  it('are-called-in-the-room-while-pagerduty-is-away-and-paged-when-it-is-back', async () => {
    const before = rung('PUSR2');
    world.pagerduty.fault({ kind: 'html', path: '/users', times: 1_000 });
    await ask(world, 'oncall', `page ${at('approver')} while it is away`, incident.room);
    await noticeSaying(incident, /^PagerDuty cannot be reached: the phones/);
    world.pagerduty.clearFaults();
    await ringing('PUSR2', before + 1);
    expect((await notices(incident)).filter((text) => text.includes('cannot be reached'))).toHaveLength(1);
  });

  it('take-the-page-over-and-notes-and-severity-follow-into-pagerduty', async () => {
    const handed = await ask(world, 'oncall', `page to ${at('approver')}`, incident.room);
    expect(handed).toContain('Handing the page to');
    const card = { room: incident.room, key: `card:${incident.id}` };
    await textWith(world, card, /handed to approver/i);
    expect(page.assignments.map(({ assignee }) => assignee.id)).toEqual(['PUSR2']);
    expect(await ask(world, 'oncall', 'note the index is fine', incident.room)).toBe(
      'Noted, here and in PagerDuty.',
    );
    await world.slack.waitFor('the note', () =>
      world.pagerduty.notes.find(
        (one) => one.incidentId === page.id && one.content.endsWith('the index is fine'),
      ),
    );
    await ask(world, 'oncall', 'severity sev2', incident.room);
    await world.slack.waitFor('the priority', () => (page.priority?.summary === 'P2' ? true : undefined));
  });

  it('of-a-private-incident-read-a-link-and-nothing-else', async () => {
    const secret = await declareIncident(world, `sev1 safety ${SERVICE} leaked card numbers`);
    await pageOf(secret);
    await ask(world, 'oncall', `page ${at('approver')} leaked in v14`, secret.room);
    const own = await world.slack.waitFor('a request or page', () =>
      world.pagerduty.incidents
        .flatMap((one) => one.incidents_responders)
        .at(-1)
        ?.message.includes('private')
        ? world.pagerduty.incidents.at(-1)?.incidents_responders.at(-1)
        : undefined,
    );
    expect(own.message).toMatch(
      /^INC-\d+ \(private\): you are called; open the room\nRoom: https:\/\/slack\.com\S+$/,
    );
    expect(await ask(world, 'oncall', 'note the cards are real', secret.room)).toBe('Noted here.');
    const everything = JSON.stringify(world.pagerduty.calls.map(({ body }) => body));
    expect(everything).not.toMatch(/leaked|cards are real/);
  });
});

describe('people who are called where no phone is paged', () => {
  let world: World;
  afterAll(() => world.close());

  it('are-mentioned-and-the-room-says-once-that-phones-stay-silent', async () => {
    const env = { PAGERDUTY_API_TOKEN: '', PAGERDUTY_FROM: '', PAGERDUTY_ROUTING_KEY: ROUTING_KEY };
    world = await startWorld({ account: ACCOUNT, env });
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} wrong answers`);
    const approver = world.slack.userId('approver');
    for (const why of ['one', 'two']) {
      const said = await ask(world, 'oncall', `page <@${approver}> ${why}`, incident.room);
      expect(said).toBe(`Calling <@${approver}> here; no phone is paged.`);
    }
    const notices = () => textsOf(world, incident.room, 'notice');
    await world.slack.waitFor('three notices', async () =>
      (await notices()).length >= 3 ? true : undefined,
    );
    expect(await notices()).toEqual([
      expect.stringMatching(new RegExp(`^<@${approver}> \\S+ calls you to INC-1\\. one$`)),
      expect.stringContaining('No phone is paged by name here: PagerDuty has no REST token'),
      expect.stringMatching(/ two$/),
    ]);
    expect(world.pagerduty.calls.filter(({ path }) => path !== '/v2/enqueue')).toEqual([]);
  });

  it('are-not-paged-for-another-environment', async () => {
    await world.close();
    world = await startWorld({ account: ACCOUNT, environment: 'staging' });
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} wrong answers`);
    await ask(world, 'oncall', `page <@${world.slack.userId('approver')}> look`, incident.room);
    await world.slack.waitFor('the mention', async () =>
      (await textsOf(world, incident.room, 'notice')).at(0),
    );
    await world.advance(MINUTE_MS);
    expect(world.pagerduty.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

/** The ids of Slack are known only once the workspace is up. */
function withPeople(world: World, people: Record<string, string>): void {
  const path = world.env['LLM_INCIDENT_CONFIG'] ?? '';
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), people }));
}
