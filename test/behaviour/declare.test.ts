import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, membersWith, messageWith, roomWith } from '../harness/people.ts';
import { blocksText, keyOf, roomOf, roomsOf } from '../harness/room.ts';

const FIELDS = ['title', 'category', 'severity', 'service', 'symptom', 'started_at', 'private'];

describe('declaring an incident', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const form = async (who = 'oncall'): Promise<SlackView> => {
    await world.slack.as(who).command('declare');
    return world.slack.waitFor('the form', () => world.slack.views(world.slack.userId(who)).at(-1));
  };
  const wholeRoom = async (id: number) => {
    const room = await roomWith(world, `card:${id}`);
    const messages = await world.slack.messages(room);
    const threads = await Promise.all(messages.map((one) => world.slack.replies(room, one.ts)));
    const card = blocksText(messages.find((one) => keyOf(one) === `card:${id}`) ?? {});
    const ours = [...messages, ...threads.flat()].filter((one) => keyOf(one) !== undefined);
    return { channel: await world.slack.channel(room), card, messages: ours };
  };
  const idOf = (said: string) => Number(/INC-(\d+)/.exec(said)?.[1]);

  describe('with the form', () => {
    it('opens the form on the trigger, with one block for each field', async () => {
      const view = await form();
      const [call] = world.slack.callsOf('views.open').slice(-1);
      expect(call?.response['ok']).toBe(true);
      expect(call?.args['trigger_id']).toEqual(expect.any(String));
      expect(view.callback_id).toBe('declare');
      expect(view.blocks.map((block) => block['block_id'])).toEqual(FIELDS);
      expect(JSON.stringify(view)).toContain('SEV1 pages who is on call at once, SEV2 opens a ticket');
      await world.slack.as('oncall').dismiss(view);
    });

    it('shows what is wrong beside its field and keeps the form open', async () => {
      const view = await form();
      const ahead = Math.floor((await world.now()).getTime() / 1000) + 3_600;
      const entries = { title: '   ', category: 'quality', severity: 'sev2', started_at: String(ahead) };
      const answer = await world.slack.as('oncall').submit(view, entries);
      expect(answer.json).toEqual({
        response_action: 'errors',
        errors: {
          title: 'Say in a few words what is wrong.',
          started_at: 'This is in the future. Choose when it began, or leave it empty.',
        },
      });
      expect(world.slack.views(world.slack.userId('oncall')).map(({ id }) => id)).toContain(view.id);
      await world.slack.as('oncall').dismiss(view);
    });

    it('opens exactly one room with what was filled in', async () => {
      const view = await form();
      const started = Math.floor((await world.now()).getTime() / 1000) - 1_800;
      const before = (await roomsOf(world)).length;
      const entries = {
        title: 'Prices that do not exist',
        category: 'outage',
        severity: 'sev3',
        service: SERVICE,
        symptom: 'wrong answers',
        started_at: String(started),
      };
      const answer = await world.slack.as('oncall').submit(view, entries);
      expect(answer).toMatchObject({ status: 200, text: '' });
      const named = await world.slack.waitFor('the room', () => roomOf(world));
      const { channel, card } = await wholeRoom(Number(/^inc-\d{8}-(\d+)-/.exec(named.name)?.[1]));
      expect(await roomsOf(world)).toHaveLength(before + 1);
      expect(channel.name).toMatch(/^inc-\d{8}-\d+-prices-that-do-not-exist$/);
      expect(channel.is_private).toBe(false);
      await membersWith(world, channel.id, ['oncall', 'lead', 'approver']);
      expect(card).toContain('SEV3 outage · support-answers · PROD · exposed 30 min');
      await ask(world, 'oncall', 'decline end of the test', channel.id);
    });

    it('opens one when the submission is delivered twice', async () => {
      const view = await form();
      const before = (await roomsOf(world)).length;
      const entries = { title: 'Delivered twice', category: 'cost', severity: 'sev3' };
      await world.slack.as('oncall').submit(view, entries);
      const submission = world.slack.sent.at(-1);
      await world.slack.replay(submission);
      await world.slack.waitFor('a room', async () =>
        (await roomsOf(world)).find((room) => room.name.endsWith('delivered-twice')),
      );
      const { id } = await declareIncident(world, 'sev3 cost a later one');
      await roomWith(world, `card:${id}`);
      expect(await roomsOf(world)).toHaveLength(before + 2);
    });
  });

  describe('without knowing how bad it is', () => {
    it('asks three questions on top of the form, and declares once what they decide', async () => {
      const before = (await roomsOf(world)).length;
      const view = await form();
      const entries = { title: 'Some wrong totals', category: 'quality', severity: 'ask', service: SERVICE };
      expect((await world.slack.as('oncall').submit(view, entries)).json?.['response_action']).toBe('push');
      const open = () => world.slack.views(world.slack.userId('oncall'));
      const asked = await world.slack.waitFor('the questions', () =>
        open().find(({ callback_id: id }) => id === 'declare_impact'),
      );
      const answers = { affected: 'most', harm: 'degraded', exposed: 'no' };
      await world.slack.as('oncall').submit(asked, answers);
      await world.slack.replay(world.slack.sent.at(-1));
      expect(open()).toEqual([]);
      const named = await world.slack.waitFor('the room', async () =>
        (await roomsOf(world)).find((room) => room.name.endsWith('some-wrong-totals')),
      );
      const { card } = await wholeRoom(Number(/^inc-\d{8}-(\d+)-/.exec(named.name)?.[1]));
      expect(card).toContain('SEV2 quality · support-answers');
      expect(await roomsOf(world)).toHaveLength(before + 1);
      await ask(world, 'oncall', 'decline end of the test', named.id);
    });

    it('makes it a private safety incident when somebody saw what they must not see', async () => {
      const view = await form();
      const entries = { title: 'Shows names of others', category: 'quality', severity: 'ask' };
      await world.slack.as('oncall').submit(view, entries);
      const asked = await world.slack.waitFor('the questions', () =>
        world.slack.views(world.slack.userId('oncall')).find((one) => one.callback_id === 'declare_impact'),
      );
      const before = (await roomsOf(world)).map(({ id }) => id);
      await world.slack.as('oncall').submit(asked, { affected: 'few', harm: 'unsure', exposed: 'yes' });
      const room = await world.slack.waitFor('the room', async () =>
        (await roomsOf(world)).find(({ id }) => !before.includes(id)),
      );
      expect(room.is_private).toBe(true);
      const { card } = await wholeRoom(Number(/^inc-\d{8}-(\d+)/.exec(room.name)?.[1]));
      expect(card).toContain('SEV1 safety');
    });
  });

  describe('with the shortcut on a message', () => {
    it('brings the message along, redacted, with its author and its link', async () => {
      const said = 'It told ann@example.test <!channel> that refunds take a year';
      const { channel, ts } = await world.slack.as('product').say('general', said);
      const message = (await world.slack.messages(channel)).find((one) => one.ts === ts);
      await world.slack.as('oncall').shortcut('open_incident', message);
      const view = await world.slack.waitFor('the form', () =>
        world.slack.views(world.slack.userId('oncall')).at(-1),
      );
      expect(JSON.stringify(view)).not.toContain('ann@example.test');
      await world.slack.as('oncall').submit(view, {
        title: 'Refunds take a year',
        category: 'quality',
        severity: 'sev3',
      });
      const named = await world.slack.waitFor('the room', async () =>
        (await roomsOf(world)).find((room) => room.name.endsWith('refunds-take-a-year')),
      );
      const whole = await world.slack.waitFor('the message in the room', async () => {
        const { messages } = await wholeRoom(Number(/^inc-\d{8}-(\d+)-/.exec(named.name)?.[1]));
        return messages.find((one) => blocksText(one).includes('Reported from a message by'));
      });
      const text = blocksText(whole);
      expect(text).toContain('that refunds take a year');
      expect(text).toContain(ts.replace('.', ''));
      expect(text).not.toMatch(/ann@example\.test|<!channel>/);
    });
  });

  describe('with words', () => {
    it('takes severity, category and service from the first words and the rest as title', async () => {
      const said = await ask(world, 'oncall', `declare sev1 quality ${SERVICE} wrong answers`);
      expect(said).toBe(
        `Declared INC-${idOf(said)} (sev1 quality): wrong answers. Its room is being opened and you are invited.`,
      );
      const { card } = await wholeRoom(idOf(said));
      expect(card).toContain('SEV1 quality · support-answers · PROD · open');
      expect(card).toContain('wrong answers');
    });

    it('names the live incident about the same service and category', async () => {
      const first = await declareIncident(world, `sev3 quality ${SERVICE} first seen`);
      const second = await ask(world, 'comms', `declare sev2 quality ${SERVICE} odd answers`);
      const live = /(INC-\d+) is live for the same\. Its room is <#(\w+)>\.$/.exec(second);
      expect(live?.[1]).not.toBe(`INC-${idOf(second)}`);
      expect((await world.slack.channel(String(live?.[2]))).name).toContain(
        `-${String(live?.[1]).slice(4)}-`,
      );
      const other = await ask(world, 'comms', `declare sev3 outage ${SERVICE} another category`);
      expect(other).toMatch(/invited\.$/);
      for (const id of [idOf(second), idOf(other)]) await roomWith(world, `card:${id}`);
      await ask(world, 'oncall', 'decline end of the test', first.room);
    });

    it('opens one when the command is delivered twice', async () => {
      const before = (await roomsOf(world)).length;
      const said = await ask(world, 'oncall', 'declare sev3 cost typed once');
      await world.slack.replay();
      await roomWith(world, `card:${idOf(said)}`);
      const later = await declareIncident(world, 'sev3 cost typed after it');
      expect(later.id).toBe(idOf(said) + 1);
      expect(await roomsOf(world)).toHaveLength(before + 2);
    });

    it('makes safety private and sev1 whatever was asked, and lists it to its own people alone', async () => {
      const title = 'answers leak addresses';
      const said = await ask(world, 'oncall', `declare sev3 safety ${SERVICE} ${title}`);
      expect(said).toContain(`Declared INC-${idOf(said)} (sev1 safety)`);
      const { channel, card } = await wholeRoom(idOf(said));
      expect(channel.is_private).toBe(true);
      expect(channel.name).toMatch(/^inc-\d{8}-\d+$/);
      const members = await membersWith(world, channel.id, ['legal', 'lead', 'approver']);
      expect(members).not.toContain(world.slack.userId('product'));
      expect(card).toContain('SEV1 safety');
      // Its own people see it wherever they ask; lists and overviews name it to nobody else.
      const asked = ['list', 'status', `status INC-${idOf(said)}`, `status ${idOf(said)}`];
      for (const one of asked) {
        const answer = await ask(world, 'product', one);
        expect(answer).not.toContain(title);
        expect(answer).not.toContain(channel.id);
        expect(answer.replace(/No incident INC-\d+|No incident \d+/, '')).not.toContain(`INC-${idOf(said)}`);
      }
      for (const who of ['oncall', 'legal']) {
        expect(await ask(world, who, 'list')).toContain(
          `*INC-${idOf(said)}* (private) sev1 safety · ${SERVICE} · open · <#${channel.id}> · ${title}`,
        );
      }
    });

    it('keeps private what the shortcut brings along from a private room', async () => {
      const told = await ask(world, 'oncall', `declare sev3 private cost ${SERVICE} within`);
      const { channel } = await wholeRoom(idOf(told));
      await membersWith(world, channel.id, ['oncall']);
      const { ts } = await world.slack.as('oncall').say(channel.id, 'Also the totals of others');
      const message = (await world.slack.messages(channel.id)).find((one) => one.ts === ts);
      const before = (await roomsOf(world)).map(({ id }) => id);
      await world.slack.as('oncall').shortcut('open_incident', message);
      const view = await world.slack.waitFor('the form', () =>
        world.slack.views(world.slack.userId('oncall')).at(-1),
      );
      const entries = { title: 'Totals of others', category: 'quality', severity: 'sev3' };
      await world.slack.as('oncall').submit(view, entries);
      const room = await world.slack.waitFor('the room', async () =>
        (await roomsOf(world)).find(({ id }) => !before.includes(id)),
      );
      expect(room.is_private).toBe(true);
      expect(room.name).toMatch(/^inc-\d{8}-\d+$/);
    });

    it('does not tell a stranger who declares the same of a private incident', async () => {
      const title = 'shows a passport number';
      const told = await ask(world, 'oncall', `declare sev3 private outage ${SERVICE} ${title}`);
      const { channel } = await wholeRoom(idOf(told));
      expect(channel.is_private).toBe(true);
      const answer = await ask(world, 'product', `declare sev3 outage ${SERVICE} something else`);
      expect(answer).not.toContain(title);
      expect(answer).not.toContain(channel.id);
    });
  });

  describe('with awkward titles', () => {
    const titles: [string, string, RegExp][] = [
      ['of 300 characters', 'long word '.repeat(30).trim(), /^inc-\d{8}-\d+-long-word(-long|-word)*$/],
      ['of emoji only', '🔥🔥🔥', /^inc-\d{8}-\d+$/],
      [
        'with an address',
        'ann@example.test reads answers of others',
        /^inc-\d{8}-\d+-reads-answers-of-others$/,
      ],
      ['in Cyrillic', 'Ответы стали хуже', /^inc-\d{8}-\d+-otvety-stali-khuzhe$/],
      [
        'that would ping and inject',
        '<!channel> & <script>alert(1)</script> <@U0LLMBOT>',
        /^inc-\d{8}-\d+-[a-z0-9-]+$/,
      ],
    ];
    for (const [name, title, expected] of titles) {
      it(`opens a room with a valid name for a title ${name}`, async () => {
        const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        const said = await ask(world, 'oncall', `declare sev3 cost ${escaped}`);
        const { channel, messages } = await wholeRoom(idOf(said));
        expect(channel.name).toMatch(expected);
        expect(channel.name.length).toBeLessThanOrEqual(80);
        const everything = JSON.stringify(messages.map(({ text, blocks }) => [text, blocks])) + said;
        for (const unsafe of ['<!channel>', '<script>', '<@U0LLMBOT>'])
          expect(everything).not.toContain(unsafe);
      });
    }

    it('adds a suffix when the name is taken', async () => {
      const { id } = await declareIncident(world, 'sev3 cost first of its name');
      const day = /inc-(\d{8})-/.exec((await wholeRoom(id)).channel.name)?.[1];
      const wanted = `inc-${day}-${id + 1}-taken`;
      await createChannel(world, wanted);
      const next = await declareIncident(world, 'sev3 cost taken');
      expect(next.id).toBe(id + 1);
      expect((await world.slack.channel(next.room)).name).toBe(`${wanted}-2`);
      const { ts } = await messageWith(world, next.room, `card:${next.id}`);
      expect(ts).toEqual(expect.any(String));
    });
  });
});

describe('declaring an incident with more services than a menu holds', () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      for (let i = 1; i < 120; i += 1) config.services[`feature-${i}`] = {};
    });
  });
  afterAll(() => world.close());

  it('offers all of them in groups, and takes the one that was chosen', async () => {
    await world.slack.as('oncall').command('declare');
    const view = await world.slack.waitFor('the form', () =>
      world.slack.views(world.slack.userId('oncall')).at(-1),
    );
    const element = view.blocks.find((block) => block['block_id'] === 'service')?.['element'];
    expect(element).toMatchObject({ type: 'static_select' });
    const offered = JSON.stringify(element);
    for (const name of [SERVICE, 'feature-1', 'feature-119']) expect(offered).toContain(`"value":"${name}"`);
    const entries = {
      title: 'Odd summaries',
      category: 'quality',
      severity: 'sev3',
      service: 'feature-119',
    };
    expect(await world.slack.as('oncall').submit(view, entries)).toMatchObject({ status: 200, text: '' });
    const room = await world.slack.waitFor('the room', () => roomOf(world));
    const id = Number(/^inc-\d{8}-(\d+)-/.exec(room.name)?.[1]);
    expect(blocksText(await messageWith(world, room.id, `card:${id}`))).toContain('feature-119');
  });
});

async function createChannel(world: World, name: string): Promise<void> {
  const answer = await fetch(`${world.slack.apiUrl}conversations.create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.slack.botToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  expect(await answer.json()).toMatchObject({ ok: true });
}
