import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVERY_SCOPE, readManifest } from '../../src/demo/slack/slack-scopes.ts';
import { type SlackWorkspace, startSlackWorkspace } from '../../src/demo/slack/slack-workspace.ts';
import { known, type Wire } from './wire.ts';

let slack: SlackWorkspace;
let client: WebClient;
let number = 0;

beforeAll(async () => {
  slack = await startSlackWorkspace({
    signingSecret: 'secret',
    usergroups: [{ id: 'S0LEADS', handle: 'leads', users: ['lead', 'approver'] }],
    scopes: EVERY_SCOPE,
  });
  client = clientFor(slack, slack.botToken);
});
afterAll(() => slack.close());

function clientFor(workspace: SlackWorkspace, token: string): WebClient {
  return new WebClient(token, {
    slackApiUrl: workspace.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 3_000,
  });
}

async function room(options: { is_private?: boolean } = {}): Promise<string> {
  number += 1;
  const created = await client.conversations.create({ name: `inc-${number}`, ...options });
  return known(created.channel?.id);
}

async function refused(call: Promise<unknown>): Promise<Wire> {
  return call.then(
    () => undefined,
    (error: Wire) => error.data ?? error,
  );
}

describe('identity', () => {
  test('the bot has fixed ids and sees its scopes', async () => {
    const me = await client.auth.test();
    expect(me).toMatchObject({ user_id: slack.botUserId, bot_id: slack.botId, team_id: slack.teamId });
    expect(me.response_metadata?.scopes).toContain('chat:write.public');
  });

  test('an unknown token is invalid_auth and no token is not_authed', async () => {
    expect(await refused(clientFor(slack, 'xoxb-other').auth.test())).toMatchObject({
      error: 'invalid_auth',
    });
    const bare = await fetch(`${slack.apiUrl}auth.test`, { method: 'POST' });
    expect(await bare.json()).toEqual({ ok: false, error: 'not_authed' });
  });

  test('an unknown method is an answer, not a 404, and emulate extensions do not exist', async () => {
    expect(await refused(client.apiCall('blocks.shake'))).toMatchObject({ error: 'unknown_method' });
    expect(await refused(client.apiCall('views.generateTriggerId'))).toMatchObject({
      error: 'unknown_method',
    });
  });

  test('a missing scope is named', async () => {
    const poor = await startSlackWorkspace({ signingSecret: 's', scopes: ['chat:write', 'channels:read'] });
    const answer = await refused(clientFor(poor, poor.botToken).usergroups.list());
    expect(answer).toMatchObject({ error: 'missing_scope', needed: 'usergroups:read' });
    expect(await refused(clientFor(poor, poor.botToken).conversations.create({ name: 'x' }))).toMatchObject({
      error: 'missing_scope',
    });
    await poor.close();
  });

  test('an installation is granted what the manifest declares, and each kind of room needs its own scope', async () => {
    const declared = readManifest().scopes;
    const here = await startSlackWorkspace({ signingSecret: 's' });
    const as = clientFor(here, here.botToken);
    expect((await as.auth.test()).response_metadata?.scopes).toEqual(declared);
    const incidents = (await here.channel('incidents')).id;
    const everybody = `${here.userId('lead')},${here.userId('oncall')}`;
    const lacking: [Promise<unknown>, string][] = [
      [as.conversations.join({ channel: incidents }), 'channels:join'],
      [as.pins.add({ channel: incidents, timestamp: '1.1' }), 'pins:write'],
      [as.conversations.list({ types: 'public_channel,im,mpim' }), 'im:read,mpim:read'],
      [as.conversations.open({ users: everybody }), 'mpim:write'],
    ];
    for (const [call, needed] of lacking) {
      const provided = declared.join(',');
      expect(await refused(call)).toMatchObject({ ok: false, error: 'missing_scope', needed, provided });
    }
    expect(await refused(as.chat.postMessage({ channel: incidents, text: 'x' }))).toMatchObject({
      error: 'not_in_channel',
    });
    await here.close();
    const few = ['chat:write', 'channels:manage', 'channels:history', 'groups:write', 'im:write'];
    const open = await startSlackWorkspace({ signingSecret: 's', scopes: few });
    const there = clientFor(open, open.botToken);
    const hidden = await there.conversations.create({ name: 'hidden', is_private: true });
    const direct = await there.conversations.open({ users: open.userId('lead') });
    for (const [channel, needed] of [
      [known(hidden.channel?.id), 'groups:history'],
      [known(direct.channel?.id), 'im:history'],
    ] as const) {
      const answer = await refused(there.conversations.history({ channel }));
      expect(answer).toMatchObject({ error: 'missing_scope', needed });
    }
    await open.close();
  });
});

describe('channels', () => {
  test('names are taken as they are', async () => {
    expect(await refused(client.conversations.create({ name: 'Upper-Case' }))).toMatchObject({
      error: 'invalid_name_specials',
    });
    expect(await refused(client.conversations.create({ name: 'with space' }))).toMatchObject({
      error: 'invalid_name_specials',
    });
    expect(await refused(client.conversations.create({ name: 'x'.repeat(81) }))).toMatchObject({
      error: 'invalid_name_maxlength',
    });
    const id = await room();
    expect(await refused(client.conversations.create({ name: `inc-${number}` }))).toMatchObject({
      error: 'name_taken',
    });
    expect((await slack.channel(id)).members).toEqual([slack.botUserId]);
  });

  test('history of a public channel needs membership, posting there does not', async () => {
    const incidents = (await slack.channel('incidents')).id;
    expect(await refused(client.conversations.history({ channel: incidents }))).toMatchObject({
      error: 'not_in_channel',
    });
    expect((await client.chat.postMessage({ channel: '#incidents', text: 'hello' })).channel).toBe(incidents);
    await client.conversations.join({ channel: incidents });
    expect((await client.conversations.history({ channel: incidents })).messages?.[0]?.text).toBe('hello');
  });

  test('a channel that the bot cannot see is channel_not_found', async () => {
    expect(await refused(client.conversations.history({ channel: 'C0NOWHERE1' }))).toMatchObject({
      error: 'channel_not_found',
    });
    expect(await refused(client.chat.postMessage({ channel: 'C0NOWHERE1', text: 'x' }))).toMatchObject({
      error: 'channel_not_found',
    });
  });

  test('force invites those who can be invited and lists the others', async () => {
    const id = await room();
    const users = [slack.userId('oncall'), slack.botUserId, 'UNOBODY000'].join(',');
    expect(await refused(client.conversations.invite({ channel: id, users }))).toMatchObject({ ok: false });
    expect((await slack.channel(id)).members).toEqual([slack.botUserId]);
    const forced: Wire = await client.conversations.invite({ channel: id, users, force: true });
    expect(forced.errors.map((one: Wire) => one.error)).toEqual(['cant_invite_self', 'user_not_found']);
    expect((await slack.channel(id)).members).toContain(slack.userId('oncall'));
  });

  test('archiving throws the bot out for good', async () => {
    const open = await room();
    const hidden = await room({ is_private: true });
    await client.chat.postMessage({ channel: hidden, text: 'said before' });
    await client.conversations.archive({ channel: open });
    await client.conversations.archive({ channel: hidden });
    expect(await refused(client.conversations.history({ channel: open }))).toMatchObject({
      error: 'not_in_channel',
    });
    expect(await refused(client.conversations.history({ channel: hidden }))).toMatchObject({
      error: 'channel_not_found',
    });
    expect(await refused(client.chat.postMessage({ channel: open, text: 'x' }))).toMatchObject({
      error: 'is_archived',
    });
    expect(await refused(client.conversations.unarchive({ channel: open }))).toMatchObject({ ok: false });
    expect((await client.conversations.info({ channel: open })).channel).toMatchObject({
      is_archived: true,
      is_member: false,
    });
    const listed = await client.conversations.list({ types: 'public_channel,private_channel', limit: 500 });
    expect(listed.channels?.map((one) => one.id)).not.toContain(hidden);
    expect((await slack.messages(hidden)).map((one) => one.text)).toContain('said before');
    expect(await slack.channel(hidden)).toMatchObject({ is_private: true, is_archived: true, members: [] });
  });

  test('user groups and the bot own conversations can be listed', async () => {
    const groups = await client.usergroups.list();
    expect(groups.usergroups).toMatchObject([{ id: 'S0LEADS', handle: 'leads', user_count: 2 }]);
    expect((await client.usergroups.users.list({ usergroup: 'S0LEADS' })).users).toEqual([
      slack.userId('lead'),
      slack.userId('approver'),
    ]);
    const id = await room({ is_private: true });
    const mine = await client.users.conversations({ types: 'private_channel', exclude_archived: true });
    expect(mine.channels?.map((one) => one.id)).toContain(id);
    expect(mine.channels?.every((one) => !one.is_archived)).toBe(true);
  });
});

describe('messages', () => {
  test('history honours oldest, latest, inclusive, limit and cursor', async () => {
    const channel = await room();
    const ts: string[] = [];
    for (let n = 0; n < 7; n++)
      ts.push(known((await client.chat.postMessage({ channel, text: `m${n}` })).ts));
    const read = async (window: object): Promise<unknown> =>
      (await client.conversations.history({ channel, ...window })).messages?.map((one) => one.text);
    expect(await read({ oldest: ts[4] })).toEqual(['m6', 'm5']);
    expect(await read({ oldest: ts[5], inclusive: true })).toEqual(['m6', 'm5']);
    expect(await read({ latest: ts[1] })).toEqual(['m0']);
    expect(await read({ oldest: ts[2], latest: ts[2], inclusive: true, limit: 1 })).toEqual(['m2']);
    expect(await read({ oldest: '9999999999.000000' })).toEqual([]);
    const pages: string[][] = [];
    for await (const page of client.paginate('conversations.history', { channel, limit: 3 })) {
      pages.push((page as Wire).messages.map((one: Wire) => one.text));
    }
    expect(pages).toEqual([['m6', 'm5', 'm4'], ['m3', 'm2', 'm1'], ['m0']]);
    expect(await refused(client.conversations.history({ channel, cursor: 'nonsense' }))).toMatchObject({
      error: 'invalid_cursor',
    });
  });

  test('metadata is kept and returned only to those who ask for all of it', async () => {
    const channel = await room();
    const metadata = { event_type: 'incident', event_payload: { key: 'inc-1:card' } };
    const posted = await client.chat.postMessage({ channel, text: 'card', metadata });
    await client.chat.postMessage({ channel, text: 'reply', thread_ts: known(posted.ts), metadata });
    const plain = await client.conversations.history({ channel });
    const full = await client.conversations.history({ channel, include_all_metadata: true });
    const thread = await client.conversations.replies({
      channel,
      ts: known(posted.ts),
      include_all_metadata: true,
    });
    expect(plain.messages?.[0]).not.toHaveProperty('metadata');
    expect(full.messages?.[0]).toMatchObject({ metadata, bot_id: slack.botId, app_id: slack.appId });
    expect(thread.messages?.map((one: Wire) => one.metadata)).toEqual([metadata, metadata]);
    expect(
      await refused(client.chat.postMessage({ channel, text: 'x', metadata: { event_type: '' } as Wire })),
    ).toMatchObject({ error: 'invalid_metadata_format' });
  });

  test('replies page through a thread, parent first', async () => {
    const channel = await room();
    const parent = known((await client.chat.postMessage({ channel, text: 'parent' })).ts);
    for (let n = 0; n < 3; n++) await client.chat.postMessage({ channel, text: `r${n}`, thread_ts: parent });
    const first = await client.conversations.replies({ channel, ts: parent, limit: 2 });
    expect(first.messages?.map((one) => one.text)).toEqual(['parent', 'r0']);
    const rest = await client.conversations.replies({
      channel,
      ts: parent,
      limit: 9,
      cursor: known(first.response_metadata?.next_cursor),
    });
    expect(rest.messages?.map((one) => one.text)).toEqual(['r1', 'r2']);
    expect(rest.has_more).toBe(false);
    const later = await client.conversations.replies({
      channel,
      ts: parent,
      oldest: known(first.messages?.[1]?.ts),
    });
    expect(later.messages?.map((one) => one.text)).toEqual(['parent', 'r1', 'r2']);
    expect(await refused(client.conversations.replies({ channel, ts: '1.000001' }))).toMatchObject({
      error: 'thread_not_found',
    });
    expect((await slack.replies(channel, parent)).map((one) => one.text)).toEqual(['r0', 'r1', 'r2']);
  });

  test('an update over 4,000 characters is msg_too_long, a post is not', async () => {
    const channel = await room();
    const { ts } = await client.chat.postMessage({ channel, text: 'x'.repeat(4001) });
    expect(
      await refused(client.chat.update({ channel, ts: known(ts), text: 'y'.repeat(4001) })),
    ).toMatchObject({
      error: 'msg_too_long',
    });
    await client.chat.update({ channel, ts: known(ts), text: 'y'.repeat(4000) });
    expect((await slack.messages(channel))[0]?.text).toHaveLength(4000);
  });

  test('blocks that Slack would refuse are refused, with the place named', async () => {
    const channel = await room();
    const blocks = [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }];
    const answer = await refused(client.chat.postMessage({ channel, text: 'x', blocks }));
    expect(answer.error).toBe('invalid_blocks');
    expect(answer.response_metadata.messages[0]).toContain('[json-pointer:/blocks/0/text/text]');
    expect(await slack.messages(channel)).toEqual([]);
  });

  test('an uploaded file can be read back', async () => {
    const channel = await room();
    await client.files.uploadV2({
      channel_id: channel,
      filename: 'postmortem.md',
      content: '# What happened\n',
      title: 'Post-mortem',
    });
    expect(await slack.files(channel)).toMatchObject([
      { name: 'postmortem.md', title: 'Post-mortem', content: '# What happened\n' },
    ]);
    const { file } = await client.files.info({ file: known((await slack.files(channel))[0]).id });
    const download = await fetch(known(file?.url_private), {
      headers: { authorization: `Bearer ${slack.botToken}` },
    });
    expect(await download.text()).toBe('# What happened\n');
    expect(file?.url_private).toContain(slack.url);
  });
});

describe('faults', () => {
  test('429 carries Retry-After and hits only the named method and channel', async () => {
    const [here, there] = [await room(), await room()];
    slack.fault({ method: 'chat.postMessage', kind: '429', retryAfterSeconds: 7, channel: here });
    await client.chat.postMessage({ channel: there, text: 'fine' });
    expect(await refused(client.chat.postMessage({ channel: here, text: 'x' }))).toMatchObject({
      retryAfter: 7,
    });
    expect((await client.chat.postMessage({ channel: here, text: 'now' })).ok).toBe(true);
  });

  test('a lost response has still posted the message', async () => {
    const channel = await room();
    slack.fault({ method: 'chat.postMessage', kind: 'reset' });
    expect(await refused(client.chat.postMessage({ channel, text: 'lost' }))).toMatchObject({
      code: 'slack_webapi_request_error',
    });
    expect((await slack.messages(channel)).map((one) => one.text)).toEqual(['lost']);
    expect(slack.callsOf('chat.postMessage').at(-1)).toMatchObject({ status: 0, response: { ok: true } });
  });

  test('500 and hang do not perform the call', async () => {
    const channel = await room();
    slack.fault({ method: '*', kind: '500', times: 2 });
    await refused(client.chat.postMessage({ channel, text: 'x' }));
    await refused(client.auth.test());
    slack.fault({ method: 'chat.postMessage', kind: 'hang' });
    const impatient = new WebClient(slack.botToken, {
      slackApiUrl: slack.apiUrl,
      retryConfig: { retries: 0 },
      timeout: 100,
    });
    await refused(impatient.chat.postMessage({ channel, text: 'x' }));
    expect(await slack.messages(channel)).toEqual([]);
    expect((await client.auth.test()).ok).toBe(true);
  });

  test('published rate limits apply when switched on', async () => {
    const strict = await startSlackWorkspace({ signingSecret: 's', rateLimits: true });
    const hasty = clientFor(strict, strict.botToken);
    for (let n = 0; n < 20; n++) await hasty.conversations.create({ name: `r-${n}` });
    const answer = await refused(hasty.conversations.create({ name: 'r-20' }));
    expect(answer.retryAfter).toBeGreaterThan(0);
    await strict.close();
  });
});
