import { setTimeout as sleep } from 'node:timers/promises';
import { App } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EVERY_EVENT } from '../../src/demo/slack/slack-events.ts';
import { EVERY_SCOPE } from '../../src/demo/slack/slack-scopes.ts';
import { type SlackWorkspace, startSlackWorkspace } from '../../src/demo/slack/slack-workspace.ts';
import { startStandInBot } from './stand-in-bot.ts';
import { known, type Wire } from './wire.ts';

const SECRET = 'signing-secret';
let slack: SlackWorkspace;
let bot: Awaited<ReturnType<typeof startStandInBot>>;
let client: WebClient;
let channel: string;
let rooms = 0;

beforeAll(async () => {
  slack = await startSlackWorkspace({
    signingSecret: SECRET,
    eventRetryDelaysMs: [10, 10],
    scopes: EVERY_SCOPE,
    subscriptions: EVERY_EVENT,
  });
  bot = await startStandInBot(SECRET);
  slack.connect(bot.url);
  client = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
});
beforeEach(async () => {
  rooms += 1;
  channel = known((await client.conversations.create({ name: `room-${rooms}` })).channel?.id);
  bot.reply = () => ({ status: 200, body: '' });
  await slack.idle();
  bot.received.length = 0;
});
afterAll(async () => {
  await slack.close();
  await bot.close();
});

const button = (actionId: string, value: string) => ({
  type: 'button',
  action_id: actionId,
  value,
  text: { type: 'plain_text', text: actionId },
});
const card = (...elements: object[]) => [{ type: 'actions', block_id: 'vote', elements }] as Wire[];
const modal = (extra: object = {}) =>
  ({
    type: 'modal',
    callback_id: 'declare',
    private_metadata: '{"n":1}',
    title: { type: 'plain_text', text: 'Declare' },
    submit: { type: 'plain_text', text: 'Open' },
    blocks: [
      {
        type: 'input',
        block_id: 'title',
        label: { type: 'plain_text', text: 'Title' },
        element: { type: 'plain_text_input', action_id: 'v', max_length: 20 },
      },
      {
        type: 'input',
        block_id: 'severity',
        label: { type: 'plain_text', text: 'Severity' },
        element: {
          type: 'static_select',
          action_id: 'v',
          options: ['sev1', 'sev2'].map((value) => ({ value, text: { type: 'plain_text', text: value } })),
        },
      },
      {
        type: 'input',
        block_id: 'symptom',
        optional: true,
        label: { type: 'plain_text', text: 'Symptom' },
        element: { type: 'plain_text_input', action_id: 'v' },
      },
    ],
    ...extra,
  }) as Wire;

describe('commands', () => {
  test('arrive as a signed form from that person in that channel', async () => {
    const answer = await slack.as('oncall').command('declare answers are wrong', { channel });
    expect(answer.status).toBe(200);
    expect(bot.received[0]).toMatchObject({
      signed: true,
      form: {
        command: '/llm-incident',
        text: 'declare answers are wrong',
        user_id: slack.userId('oncall'),
        channel_id: channel,
        api_app_id: slack.appId,
        team_id: slack.teamId,
      },
    });
  });

  test('what the bot answers in the ack or to the response_url is seen by that person alone', async () => {
    bot.reply = () => ({ status: 200, body: 'one moment', type: 'text/plain' });
    await slack.as('legal').command('status');
    const responseUrl = known(bot.received[0]?.form['response_url']);
    const post = (body: object) => fetch(responseUrl, { method: 'POST', body: JSON.stringify(body) });
    expect((await post({ text: 'all quiet' })).status).toBe(200);
    expect((await post({ blocks: [{ type: 'nonsense' }] })).status).toBe(400);
    const seen = slack.ephemerals(slack.userId('legal'));
    expect(seen.map((one) => [one.via, one.text, one.problems.length])).toEqual([
      ['ack', 'one moment', 0],
      ['response_url', 'all quiet', 0],
      ['response_url', '', 1],
    ]);
    for (let use = 3; use <= 5; use++) await post({ text: 'again' });
    expect((await post({ text: 'sixth' })).status).toBe(404);
  });

  test('a forged signature or an old timestamp is what the bot gets to judge', async () => {
    const body = 'command=%2Fllm-incident&text=list';
    expect((await slack.signedPost({ body })).status).toBe(200);
    expect((await slack.signedPost({ body, secret: 'other' })).status).toBe(401);
    expect((await slack.signedPost({ body, timestamp: Math.floor(Date.now() / 1000) - 600 })).status).toBe(
      401,
    );
    expect((await slack.signedPost({ body, headers: { 'x-slack-signature': 'v0=00' } })).status).toBe(401);
  });

  test('replay sends the same bytes and the same signature again', async () => {
    await slack.as('oncall').command('list');
    await slack.replay();
    const [first, second] = bot.received;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['x-slack-signature']).toBe(first?.headers['x-slack-signature']);
  });

  test('nobody at the other end is status 0', async () => {
    const alone = await startSlackWorkspace({ signingSecret: SECRET });
    expect(() => alone.signedPost({ body: '' })).toThrow('not connected');
    alone.connect('http://127.0.0.1:9/');
    expect(await alone.as('oncall').command('list')).toMatchObject({ status: 0 });
    await alone.close();
  });
});

describe('clicks', () => {
  test('say who clicked what on which message, each with its own action_ts', async () => {
    await client.chat.postMessage({
      channel,
      text: 'plan',
      blocks: card(button('approve', 'p1'), button('reject', 'p1')),
    });
    const [message] = await slack.messages(channel);
    expect(slack.findButton(known(message), 'approve')).toMatchObject({ value: 'p1' });
    expect(slack.findButton(known(message), 'resolve')).toBeUndefined();
    await slack.as('approver').click(known(message), 'approve');
    await slack.as('approver').click(known(message), 'approve', { valueOverride: 'forged' });
    const clicks = bot.received.map((one) => one.payload).filter((one) => one?.type === 'block_actions');
    expect(clicks[0]).toMatchObject({
      user: { id: slack.userId('approver') },
      channel: { id: channel },
      container: { type: 'message', message_ts: message?.ts, channel_id: channel, is_ephemeral: false },
      message: { ts: message?.ts, bot_id: slack.botId },
      api_app_id: slack.appId,
      actions: [{ type: 'button', action_id: 'approve', block_id: 'vote', value: 'p1' }],
    });
    expect(clicks[1].actions[0].value).toBe('forged');
    expect(clicks[0].actions[0].action_ts).not.toBe(clicks[1].actions[0].action_ts);
    await expect(slack.as('approver').click(known(message), 'resolve')).rejects.toThrow('resolve');
  });

  test('their response_url replaces or deletes the message', async () => {
    await client.chat.postMessage({ channel, text: 'plan', blocks: card(button('approve', 'p1')) });
    const [message] = await slack.messages(channel);
    await slack.as('approver').click(known(message), 'approve');
    const { response_url: url } = known(
      bot.received.find((one) => one.payload?.type === 'block_actions'),
    ).payload;
    await fetch(url, { method: 'POST', body: JSON.stringify({ replace_original: true, text: 'approved' }) });
    expect(await slack.messages(channel)).toMatchObject([{ ts: message?.ts, text: 'approved' }]);
    await fetch(url, { method: 'POST', body: JSON.stringify({ delete_original: true }) });
    expect(await slack.messages(channel)).toEqual([]);
  });

  test('a message for one person can be clicked too', async () => {
    await client.conversations.invite({ channel, users: slack.userId('lead') });
    await client.chat.postEphemeral({
      channel,
      user: slack.userId('lead'),
      text: 'only you',
      blocks: card(button('contain', 'x')),
    });
    const [seen] = slack.ephemerals(slack.userId('lead'));
    await slack.as('lead').click(known(seen), 'contain');
    const payload = bot.received.at(-1)?.payload;
    expect(payload.container).toMatchObject({ is_ephemeral: true, message_ts: seen?.ts });
    expect(payload.message).toBeUndefined();
  });
});

describe('shortcuts', () => {
  test('come from anywhere or from a message', async () => {
    const said = await slack.as('oncall').say(channel, 'this one');
    const message = known((await slack.messages(channel)).find((one) => one.ts === said.ts));
    await slack.as('lead').shortcut('add_to_timeline', message);
    await slack.as('lead').shortcut('declare_global');
    const used = bot.received.map((one) => one.payload).filter((one) => one?.callback_id);
    expect(used).toMatchObject([
      {
        type: 'message_action',
        callback_id: 'add_to_timeline',
        message_ts: said.ts,
        channel: { id: channel },
      },
      { type: 'shortcut', callback_id: 'declare_global', user: { id: slack.userId('lead') } },
    ]);
  });
});

test('pins, bookmarks and direct messages can be looked at, and emulate shows it all in a browser', async () => {
  const { ts } = await client.chat.postMessage({ channel, text: 'pinned' });
  await client.pins.add({ channel, timestamp: known(ts) });
  await client.bookmarks.add({
    channel_id: channel,
    title: 'page',
    type: 'link',
    link: 'https://example.test/',
  });
  await client.chat.postMessage({ channel: slack.userId('comms'), text: 'please acknowledge' });
  expect((await slack.pins(channel)).map((one) => one.text)).toEqual(['pinned']);
  expect(await slack.bookmarks(channel)).toEqual([{ title: 'page', link: 'https://example.test/' }]);
  expect((await slack.directMessages('comms')).map((one) => one.text)).toEqual(['please acknowledge']);
  expect(await slack.directMessages('product')).toEqual([]);
  const page = await fetch(slack.url);
  expect(page.headers.get('content-type')).toContain('text/html');
});

describe('modals', () => {
  async function open(view = modal()): Promise<Wire> {
    await slack.as('oncall').command('declare');
    return client.views.open({ trigger_id: known(bot.received.at(-1)?.form['trigger_id']), view });
  }

  test('open with the trigger of a command, once, for the person who typed it', async () => {
    await open();
    const [view] = slack.views(slack.userId('oncall'));
    expect(view).toMatchObject({ callback_id: 'declare', private_metadata: '{"n":1}' });
    expect(slack.views(slack.userId('legal'))).toEqual([]);
    const trigger_id = known(bot.received.at(-1)?.form['trigger_id']);
    await expect(client.views.open({ trigger_id, view: modal() })).rejects.toThrow('exchanged_trigger_id');
  });

  test('are refused when Slack would refuse them', async () => {
    await expect(open(modal({ title: { type: 'plain_text', text: 'x'.repeat(25) } }))).rejects.toThrow(
      'invalid_arguments',
    );
    await expect(open(modal({ submit: undefined }))).rejects.toThrow('invalid_arguments');
  });

  test('submit the values by block and action, and stay open on errors', async () => {
    await open();
    const view = known(slack.views(slack.userId('oncall')).at(-1));
    bot.reply = () => ({
      status: 200,
      body: JSON.stringify({ response_action: 'errors', errors: { title: 'no' } }),
    });
    const answer = await slack.as('oncall').submit(view, { title: 'wrong', severity: 'sev2' });
    expect(answer.json).toMatchObject({ response_action: 'errors' });
    expect(slack.views().map((one) => one.id)).toContain(view.id);
    bot.reply = () => ({ status: 200, body: '' });
    await slack.as('oncall').submit(view, { title: 'right', severity: 'sev1' });
    const { payload } = known(bot.received.at(-1));
    expect(payload).toMatchObject({
      type: 'view_submission',
      user: { id: slack.userId('oncall') },
      view: {
        id: view.id,
        callback_id: 'declare',
        private_metadata: '{"n":1}',
        state: {
          values: {
            title: { v: { type: 'plain_text_input', value: 'right' } },
            severity: { v: { type: 'static_select', selected_option: { value: 'sev1' } } },
            symptom: { v: { type: 'plain_text_input', value: null } },
          },
        },
      },
    });
    expect(slack.views().map((one) => one.id)).not.toContain(view.id);
    await expect(client.views.update({ view_id: view.id, view: modal() })).rejects.toThrow('not_found');
  });

  test('cannot be submitted as Slack would not let a person submit them', async () => {
    await open();
    const view = known(slack.views(slack.userId('oncall')).at(-1));
    const oncall = slack.as('oncall');
    await expect(oncall.submit(view, { severity: 'sev1' })).rejects.toThrow('"title"');
    await expect(oncall.submit(view, { title: 'x', severity: 'sev9' })).rejects.toThrow('not offered');
    await expect(oncall.submit(view, { title: 'x'.repeat(21), severity: 'sev1' })).rejects.toThrow('0 to 20');
    await expect(oncall.submit(view, { nowhere: 'x' })).rejects.toThrow('no input "nowhere"');
  });

  test('an update in the ack replaces the view, which can be submitted again', async () => {
    await open();
    const view = known(slack.views(slack.userId('oncall')).at(-1));
    bot.reply = () => ({
      status: 200,
      body: JSON.stringify({ response_action: 'update', view: modal({ callback_id: 'step-2' }) }),
    });
    await slack.as('oncall').submit(view, { title: 'x', severity: 'sev1' });
    expect(slack.views().find((one) => one.id === view.id)).toMatchObject({ callback_id: 'step-2' });
  });
});

describe('events', () => {
  test('what people say, edit, remove and mark reaches the bot as Slack sends it', async () => {
    const oncall = slack.as('oncall');
    const said = await oncall.say(channel, `<@${slack.botUserId}> prompt was moved`);
    await slack.idle();
    await oncall.edit(said, 'prompt was moved by a deploy');
    await oncall.react(said, 'pushpin');
    await oncall.say(channel, 'in thread', { thread_ts: said.ts });
    await oncall.remove(said);
    await slack.idle();
    const events = bot.events();
    const find = (type: string, subtype?: string) =>
      events.find((one) => one.type === type && one.subtype === subtype);
    expect(find('member_joined_channel')).toMatchObject({ user: slack.userId('oncall'), channel });
    expect(find('message')).toMatchObject({
      user: slack.userId('oncall'),
      channel,
      channel_type: 'channel',
      ts: said.ts,
      event_ts: said.ts,
    });
    expect(find('app_mention')).toMatchObject({ ts: said.ts });
    expect(find('message', 'message_changed')).toMatchObject({
      message: {
        ts: said.ts,
        text: 'prompt was moved by a deploy',
        edited: { user: slack.userId('oncall') },
      },
      previous_message: { ts: said.ts },
    });
    expect(find('reaction_added')).toMatchObject({
      reaction: 'pushpin',
      item: { channel, ts: said.ts },
      item_user: slack.userId('oncall'),
    });
    expect(events.find((one) => one.thread_ts === said.ts)).toMatchObject({ text: 'in thread' });
    expect(find('message', 'message_deleted')).toMatchObject({ deleted_ts: said.ts, channel });
    expect(bot.received.every((one) => one.signed)).toBe(true);
    expect(bot.received[0]?.payload).toMatchObject({
      api_app_id: slack.appId,
      authorizations: [{ user_id: slack.botUserId }],
    });
  });

  test('the bot hears itself, marked as its own, and private rooms as groups', async () => {
    const hidden = known(
      (await client.conversations.create({ name: `private-${rooms}`, is_private: true })).channel?.id,
    );
    await client.chat.postMessage({
      channel: hidden,
      text: 'card',
      metadata: { event_type: 'a', event_payload: {} },
    });
    await slack.idle();
    const [event] = bot.events();
    expect(event).toMatchObject({
      channel_type: 'group',
      bot_id: slack.botId,
      app_id: slack.appId,
      user: slack.botUserId,
    });
    expect(event).not.toHaveProperty('metadata');
  });

  test('nothing comes from a channel the bot is not in', async () => {
    await slack.as('oncall').say('random', 'lunch?');
    await slack.idle();
    expect(bot.received).toEqual([]);
  });

  test('an unanswered event comes again under the same id, with Slack retry headers', async () => {
    let refusals = 2;
    bot.reply = () => ({ status: refusals-- > 0 ? 500 : 200, body: '' });
    await slack.as('oncall').say(channel, 'hello');
    await slack.idle();
    const same = bot.received.filter((one) => one.payload.event.type === 'message');
    const ids = new Set(bot.received.map((one) => one.payload.event_id));
    expect(bot.received.length).toBe(ids.size + 2);
    expect(bot.received.map((one) => one.headers['x-slack-retry-num'])).toContain('1');
    expect(same.at(-1)?.payload.event.text).toBe('hello');
    const delivery = known(slack.deliveries.at(-1));
    await slack.redeliver(delivery);
    expect(bot.received.at(-1)?.payload.event_id).toBe(delivery.envelope['event_id']);
  });

  test('a slow bot makes no API call wait, and idle waits for it', async () => {
    let answered = 0;
    bot.reply = async () => {
      await sleep(400);
      answered += 1;
      return { status: 200, body: '' };
    };
    const started = performance.now();
    await client.chat.postMessage({ channel, text: 'x' });
    expect(performance.now() - started).toBeLessThan(350);
    expect(answered).toBe(0);
    await slack.idle();
    expect(answered).toBe(1);
  });
});

test('a real Bolt app works end to end: command, modal, card, click, home', async () => {
  const app = new App({
    token: slack.botToken,
    signingSecret: SECRET,
    clientOptions: { slackApiUrl: slack.apiUrl },
  });
  const heard: string[] = [];
  app.command('/llm-incident', async ({ ack, client: api, body }) => {
    await ack();
    await api.views.open({ trigger_id: body.trigger_id, view: modal({ private_metadata: body.channel_id }) });
  });
  app.view('declare', async ({ ack, view, client: api }) => {
    await ack();
    const title = known(view.state.values['title']?.['v']?.value);
    await api.chat.postMessage({
      channel: view.private_metadata,
      text: title,
      blocks: card(button('acknowledge', title)),
    });
  });
  app.action('acknowledge', async ({ ack, body, client: api, respond }) => {
    await ack();
    const click = body as Wire;
    await api.chat.update({
      channel: click.channel.id,
      ts: click.message.ts,
      text: `acknowledged by <@${click.user.id}>`,
      blocks: [],
    });
    await respond({ text: 'thank you', response_type: 'ephemeral', replace_original: false });
  });
  app.message(async ({ message }) => {
    if (!message.subtype) heard.push((message as Wire).text);
  });
  app.event('app_home_opened', async ({ event, client: api }) => {
    await api.views.publish({ user_id: event.user, view: { type: 'home', blocks: [{ type: 'divider' }] } });
  });
  const server = await app.start({ port: 0, host: '127.0.0.1' });
  slack.connect(`http://127.0.0.1:${(server as Wire).address().port}/slack/events`);
  try {
    const oncall = slack.as('oncall');
    await oncall.command('declare', { channel });
    const view = await slack.waitFor('the modal', () =>
      slack.views(oncall.userId).find((one) => one.private_metadata === channel),
    );
    await oncall.submit(view, { title: 'wrong answers', severity: 'sev2' });
    const posted = await slack.waitFor('the card', async () =>
      (await slack.messages(channel)).find((one) => slack.findButton(one, 'acknowledge')),
    );
    await oncall.click(posted, 'acknowledge');
    await slack.waitFor('the update', async () =>
      (await slack.messages(channel)).find((one) => one.text === `acknowledged by <@${oncall.userId}>`),
    );
    await oncall.say(channel, 'looking into it');
    oncall.openHome();
    await slack.waitFor('the home tab', () => slack.home(oncall.userId));
    await slack.idle();
    expect(heard).toEqual(['looking into it']);
    expect(slack.ephemerals(oncall.userId).map((one) => one.text)).toContain('thank you');
  } finally {
    await app.stop();
    slack.connect(bot.url);
  }
});
