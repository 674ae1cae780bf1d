import { freshTs } from './slack-events.ts';
import { withMetadata } from './slack-messages.ts';
import { everyChannel, findRoom, messageEvent, type SlackCore } from './slack-rooms.ts';
import { type Fields, isRecord, list, SLACK_IDS, text, truthy } from './slack-shapes.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 999;

/** All top-level messages of a channel, newest first, seen as `actor`. */
export async function wholeHistory(core: SlackCore, actor: string, channel: string): Promise<Fields> {
  const messages: Fields[] = [];
  let cursor = '';
  do {
    const page = await core.upstream.call(actor, 'conversations.history', { channel, limit: 1000, cursor });
    if (page['ok'] !== true) return page;
    messages.push(...list(page['messages']));
    const meta = page['response_metadata'];
    cursor = isRecord(meta) ? text(meta['next_cursor']) : '';
  } while (cursor);
  return { ok: true, messages };
}

/** conversations.history with the window, paging and metadata rules that emulate leaves out. */
export async function history(core: SlackCore, args: Fields): Promise<Fields> {
  const whole = await wholeHistory(core, SLACK_IDS.botUser, text(args['channel']));
  if (whole['ok'] !== true) return whole;
  return paged(
    list(whole['messages']).filter((message) => inWindow(message, args)),
    args,
  );
}

/** conversations.replies: the parent first, then its replies, oldest first. */
export async function replies(core: SlackCore, args: Fields): Promise<Fields> {
  const { channel, ts } = args;
  const answer = await core.upstream.call(SLACK_IDS.botUser, 'conversations.replies', { channel, ts });
  if (answer['ok'] !== true) return answer;
  const messages = list(answer['messages']);
  if (messages.length === 0) return { ok: false, error: 'thread_not_found' };
  return paged(
    messages.filter((message) => message['ts'] === ts || inWindow(message, args)),
    args,
  );
}

/** conversations.create with the name as given: Slack refuses what emulate would quietly rewrite. */
export async function create(core: SlackCore, args: Fields): Promise<Fields> {
  const name = text(args['name']);
  if (name === '') return { ok: false, error: 'invalid_name_required' };
  if (name.length > 80) return { ok: false, error: 'invalid_name_maxlength' };
  if (/[^a-z0-9_-]/.test(name)) return { ok: false, error: 'invalid_name_specials' };
  return core.upstream.call(SLACK_IDS.botUser, 'conversations.create', args);
}

/** conversations.invite; with `force` those who can be invited are, and the others are listed. */
export async function invite(core: SlackCore, args: Fields): Promise<Fields> {
  const users = (Array.isArray(args['users']) ? args['users'] : text(args['users']).split(',')).map(String);
  if (!truthy(args['force'])) {
    const answer = await core.upstream.call(SLACK_IDS.botUser, 'conversations.invite', args);
    if (answer['ok'] === true) await emitJoins(core, text(args['channel']), users);
    return answer;
  }
  const errors: Fields[] = [];
  const joined: string[] = [];
  let last: Fields = { ok: false, error: 'no_user' };
  for (const user of users) {
    const one = { channel: args['channel'], users: user };
    const answer = await core.upstream.call(SLACK_IDS.botUser, 'conversations.invite', one);
    if (answer['ok'] === true) joined.push(user);
    else errors.push({ user, ok: false, error: answer['error'] });
    if (answer['ok'] === true || joined.length === 0) last = answer;
  }
  await emitJoins(core, text(args['channel']), joined);
  return errors.length > 0 ? { ...last, errors } : last;
}

/** member_joined_channel for each, if the bot is there to hear it. */
export async function emitJoins(core: SlackCore, channel: string, users: string[]): Promise<void> {
  const room = await findRoom(core, channel);
  if (!room?.botInside) return;
  const channelType = room.type === 'channel' ? 'C' : 'G';
  for (const user of users) {
    core.events.emit({
      type: 'member_joined_channel',
      user,
      channel,
      channel_type: channelType,
      team: SLACK_IDS.team,
      event_ts: freshTs(),
    });
  }
}

/** conversations.leave by a person, with member_left_channel for a bot that is there to hear it. */
export async function leave(core: SlackCore, actor: string, channel: string): Promise<Fields> {
  const room = await findRoom(core, channel);
  const answer = await core.upstream.call(actor, 'conversations.leave', { channel });
  if (answer['ok'] !== true || !room?.botInside) return answer;
  const channelType = room.type === 'channel' ? 'C' : 'G';
  const event = { type: 'member_left_channel', user: actor, channel, channel_type: channelType };
  core.events.emit({ ...event, team: SLACK_IDS.team, event_ts: freshTs() });
  return answer;
}

/** conversations.archive by anyone: Slack throws the bot out, emulate would keep it. */
export async function archive(core: SlackCore, actor: string, channel: string): Promise<Fields> {
  const room = await findRoom(core, channel);
  const answer = await core.upstream.call(actor, 'conversations.archive', { channel });
  if (answer['ok'] !== true) return answer;
  if (room?.botInside) {
    const type = room.type === 'channel' ? 'channel_archive' : 'group_archive';
    core.events.emit({ type, channel, user: actor, is_moved: 0, event_ts: freshTs() });
  }
  core.ejected.add(channel);
  return answer;
}

/** setTopic, setPurpose and rename: emulate writes the notice into history, here it becomes an event too. */
export async function changeChannel(core: SlackCore, method: string, args: Fields): Promise<Fields> {
  const name = text(args['name']);
  if (method === 'conversations.rename' && /[^a-z0-9_-]/.test(name)) {
    return { ok: false, error: 'invalid_name_specials' };
  }
  const answer = await core.upstream.call(SLACK_IDS.botUser, method, args);
  if (answer['ok'] !== true) return answer;
  const channel = text(args['channel']);
  const room = await findRoom(core, channel);
  const latest = await core.upstream.call('observer', 'conversations.history', { channel, limit: 1 });
  const notice = list(latest['messages'])[0];
  if (room?.botInside && notice) core.events.emit(messageEvent(room, notice));
  return answer;
}

/** conversations.join: back inside, where joining is possible at all. */
export async function join(core: SlackCore, args: Fields): Promise<Fields> {
  const channel = text(args['channel']);
  const room = await findRoom(core, channel);
  const answer = await core.upstream.call(SLACK_IDS.botUser, 'conversations.join', { channel });
  if (answer['ok'] !== true) return answer;
  core.ejected.delete(channel);
  if (!room?.botInside) await emitJoins(core, channel, [SLACK_IDS.botUser]);
  return answer;
}

/** conversations.list, .info and .members without the rooms and the seat that archiving took from the bot. */
export async function asSeenByBot(core: SlackCore, method: string, args: Fields): Promise<Fields> {
  const answer = await core.upstream.call(SLACK_IDS.botUser, method, args);
  const out = (channel: Fields): boolean => core.ejected.has(text(channel['id']));
  const seen = (channel: Fields): Fields => (out(channel) ? { ...channel, is_member: false } : channel);
  if (isRecord(answer['channel'])) return { ...answer, channel: seen(answer['channel']) };
  if (Array.isArray(answer['channels'])) {
    const channels = list(answer['channels']).filter((channel) => !(channel['is_private'] && out(channel)));
    return { ...answer, channels: channels.map(seen) };
  }
  if (Array.isArray(answer['members']) && core.ejected.has(text(args['channel']))) {
    return { ...answer, members: answer['members'].filter((member) => member !== SLACK_IDS.botUser) };
  }
  return answer;
}

/** users.conversations, which emulate does not have: where the bot (or `user`, as far as the bot sees) is in. */
export async function usersConversations(core: SlackCore, args: Fields): Promise<Fields> {
  const all = await everyChannel(core, text(args['types']) || 'public_channel');
  const wanted = all.filter((channel) => !(truthy(args['exclude_archived']) && channel['is_archived']));
  const user = text(args['user']) || SLACK_IDS.botUser;
  const mine: Fields[] = [];
  for (const channel of wanted) {
    const botInside = channel['is_member'] === true && !core.ejected.has(text(channel['id']));
    const { is_member: _member, ...shown } = channel;
    if (user === SLACK_IDS.botUser ? botInside : await isInside(core, channel, user)) mine.push(shown);
  }
  const limit = Math.min(Number(args['limit']) || DEFAULT_PAGE, MAX_PAGE);
  const start = Number(args['cursor']) || 0;
  const next = start + limit < mine.length ? String(start + limit) : '';
  return { ok: true, channels: mine.slice(start, start + limit), response_metadata: { next_cursor: next } };
}

async function isInside(core: SlackCore, channel: Fields, user: string): Promise<boolean> {
  const answer = await core.upstream.call('observer', 'conversations.members', { channel: channel['id'] });
  return Array.isArray(answer['members']) && answer['members'].includes(user);
}

function inWindow(message: Fields, args: Fields): boolean {
  const ts = micros(message['ts']);
  const edge = truthy(args['inclusive']);
  const [oldest, latest] = [text(args['oldest']), text(args['latest'])];
  if (oldest !== '' && oldest !== '0' && (edge ? ts < micros(oldest) : ts <= micros(oldest))) return false;
  return latest === '' || latest === 'now' || (edge ? ts <= micros(latest) : ts < micros(latest));
}

function micros(ts: unknown): bigint {
  const [seconds = '0', fraction = ''] = text(ts).split('.');
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6) || '0');
}

function paged(messages: Fields[], args: Fields): Fields {
  const limit = Math.min(Math.max(Number(args['limit']) || DEFAULT_PAGE, 1), MAX_PAGE);
  const cursor = text(args['cursor']);
  const start = cursor === '' ? 0 : messages.findIndex((message) => cursorAt(message) === cursor);
  if (start < 0) return { ok: false, error: 'invalid_cursor' };
  const next = messages[start + limit];
  const page = messages.slice(start, start + limit).map((message) => withMetadata(message, args));
  const meta = next ? { response_metadata: { next_cursor: cursorAt(next) } } : {};
  return { ok: true, messages: page, has_more: next !== undefined, pin_count: 0, ...meta };
}

function cursorAt(message: Fields): string {
  return Buffer.from(`next_ts:${text(message['ts'])}`).toString('base64');
}
