import type { Activity } from './slack-activity.ts';
import type { EventSender } from './slack-events.ts';
import type { BotLine } from './slack-line.ts';
import type { ResponseUrls } from './slack-response-urls.ts';
import type { Kind } from './slack-scopes.ts';
import type { Screens } from './slack-screens.ts';
import { type Ephemeral, type Fields, isRecord, list, SLACK_IDS, text } from './slack-shapes.ts';
import type { Upstream } from './slack-upstream.ts';

/** A group of people that can be named as approver. */
export interface Usergroup {
  id: string;
  handle: string;
  users: string[];
}

/** What the parts of the workspace share. */
export interface SlackCore {
  upstream: Upstream;
  line: BotLine;
  events: EventSender;
  activity: Activity;
  screens: Screens;
  responseUrls: ResponseUrls;
  ephemerals: Ephemeral[];
  usergroups: Usergroup[];
  scopes: ReadonlySet<string>;
  /** Channels whose archiving threw the bot out; emulate itself keeps it inside. */
  ejected: Set<string>;
}

/** A conversation as the rules need it. */
export interface Room {
  id: string;
  name: string;
  type: Kind;
  isArchived: boolean;
  botInside: boolean;
}

const READS = new Set(['conversations.history', 'conversations.replies']);
const WRITES = new Set([
  'conversations.setTopic',
  'conversations.setPurpose',
  'conversations.invite',
  'conversations.rename',
  'conversations.kick',
  'conversations.leave',
  'conversations.archive',
  'pins.add',
  'pins.remove',
  'pins.list',
  'bookmarks.add',
  'bookmarks.edit',
  'bookmarks.remove',
  'bookmarks.list',
  'reactions.add',
  'reactions.remove',
  'chat.update',
  'chat.delete',
  'chat.postEphemeral',
  'files.completeUploadExternal',
]);
const POSTS = new Set(['chat.postMessage', 'chat.scheduleMessage']);
const VISIBLE = new Set([
  'conversations.info',
  'conversations.members',
  'chat.getPermalink',
  'conversations.join',
]);

/** Looks a conversation up with the observer's eyes. */
export async function findRoom(core: SlackCore, channel: string): Promise<Room | undefined> {
  const answer = await core.upstream.call('observer', 'conversations.info', { channel });
  const info = answer['channel'];
  if (!isRecord(info)) return undefined;
  const type = info['is_im'] ? 'im' : info['is_mpim'] ? 'mpim' : info['is_private'] ? 'group' : 'channel';
  return {
    id: text(info['id']),
    name: text(info['name']),
    type,
    isArchived: info['is_archived'] === true,
    botInside: info['is_member'] === true && !core.ejected.has(text(info['id'])),
  };
}

/** Every conversation the observer can see, page by page. */
export async function everyChannel(core: SlackCore, types: string): Promise<Fields[]> {
  const found: Fields[] = [];
  let cursor = '';
  do {
    const page = await core.upstream.call('observer', 'conversations.list', { types, limit: 1000, cursor });
    found.push(...list(page['channels']));
    const meta = page['response_metadata'];
    cursor = isRecord(meta) ? text(meta['next_cursor']) : '';
  } while (cursor);
  return found;
}

/** Turns `#name`, `name` or an id into an id; unknown names stay as they are. */
export async function channelId(core: SlackCore, nameOrId: string): Promise<string> {
  if (/^[CDGUW][A-Z0-9]{6,}$/.test(nameOrId)) return nameOrId;
  const name = nameOrId.replace(/^#/, '');
  const all = await everyChannel(core, 'public_channel,private_channel');
  return text(all.find((channel) => channel['name'] === name)?.['id']) || name;
}

/** Why Slack would not let the bot do this in that channel, where emulate would; undefined when it may. */
export async function refusal(core: SlackCore, method: string, args: Fields): Promise<string | undefined> {
  const channel = text(args['channel']) || text(args['channel_id']);
  const ruled = READS.has(method) || WRITES.has(method) || POSTS.has(method) || VISIBLE.has(method);
  if (!channel || !ruled || /^[UW][A-Z0-9]{6,}$/.test(channel)) return undefined;
  const room = await findRoom(core, channel);
  if (!room || (room.type !== 'channel' && !room.botInside)) return 'channel_not_found';
  if (method === 'chat.update' && room.isArchived) return 'is_inactive';
  if (room.botInside || VISIBLE.has(method)) return undefined;
  if (READS.has(method)) return 'not_in_channel';
  if (room.isArchived) return method === 'conversations.archive' ? 'already_archived' : 'is_archived';
  if (POSTS.has(method) && core.scopes.has('chat:write.public')) return undefined;
  return 'not_in_channel';
}

/** A message with what Slack adds to it; `isBot` ones say which app wrote them. */
export function decorate(message: Fields): Fields {
  const threaded = Number(message['reply_count'] ?? 0) > 0 && !message['thread_ts'];
  const common = { ...message, team: SLACK_IDS.team, ...(threaded ? { thread_ts: message['ts'] } : {}) };
  if (message['user'] !== SLACK_IDS.botUser) return common;
  const profile = { id: SLACK_IDS.bot, app_id: SLACK_IDS.app, name: 'llm-incident', team_id: SLACK_IDS.team };
  return { ...common, bot_id: SLACK_IDS.bot, app_id: SLACK_IDS.app, bot_profile: profile };
}

/** A message event as it goes out: with channel_type and event_ts, without metadata (not subscribed to). */
export function messageEvent(room: Room, message: Fields): Fields {
  const { metadata: _metadata, ...shown } = decorate(message);
  const ts = text(message['ts']);
  return { ...shown, type: 'message', channel: room.id, channel_type: room.type, event_ts: ts };
}

/** One message by its timestamp, in or out of a thread. */
export async function messageAt(core: SlackCore, channel: string, ts: string): Promise<Fields | undefined> {
  const answer = await core.upstream.call('observer', 'reactions.get', { channel, timestamp: ts });
  return isRecord(answer['message']) ? answer['message'] : undefined;
}
