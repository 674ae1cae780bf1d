import { viewProblems } from '../../slack/block-kit-limits.ts';
import {
  archive,
  asSeenByBot,
  changeChannel,
  create,
  history,
  invite,
  join,
  replies,
  usersConversations,
} from './slack-conversations.ts';
import { freshTs } from './slack-events.ts';
import { completeUpload } from './slack-files.ts';
import {
  botPost,
  botPostEphemeral,
  changeReaction,
  contentRefusal,
  deleteMessage,
  updateMessage,
} from './slack-messages.ts';
import { channelId, findRoom, messageAt, refusal, type SlackCore } from './slack-rooms.ts';
import { scopeRefusal } from './slack-scopes.ts';
import { viewOf } from './slack-screens.ts';
import { type Fields, isRecord, SLACK_IDS, text, truthy } from './slack-shapes.ts';

type Method = (core: SlackCore, args: Fields) => Promise<Fields>;

const BOT = SLACK_IDS.botUser;
const HIDDEN = new Set(['views.generateTriggerId']); // emulate's own extension: Slack has no such method

const METHODS: Record<string, Method> = {
  'api.test': async (_core, args) => ({ ok: true, args }),
  'chat.postMessage': botPost,
  'chat.scheduleMessage': async (core, args) =>
    contentRefusal(args) ?? core.upstream.call(BOT, 'chat.scheduleMessage', args),
  'chat.postEphemeral': botPostEphemeral,
  'chat.update': async (core, args) => contentRefusal(args) ?? updateMessage(core, { actor: BOT, args }),
  'chat.delete': (core, args) => deleteMessage(core, { actor: BOT, args }),
  'reactions.add': (core, args) => changeReaction(core, 'add', { actor: BOT, args }),
  'reactions.remove': (core, args) => changeReaction(core, 'remove', { actor: BOT, args }),
  'pins.add': pin,
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.create': create,
  'conversations.invite': invite,
  'conversations.join': join,
  'conversations.archive': (core, args) => archive(core, BOT, text(args['channel'])),
  'conversations.unarchive': async () => ({ ok: false, error: 'not_in_channel' }),
  'conversations.setTopic': (core, args) => changeChannel(core, 'conversations.setTopic', args),
  'conversations.setPurpose': (core, args) => changeChannel(core, 'conversations.setPurpose', args),
  'conversations.rename': (core, args) => changeChannel(core, 'conversations.rename', args),
  'conversations.list': (core, args) => asSeenByBot(core, 'conversations.list', args),
  'conversations.info': (core, args) => asSeenByBot(core, 'conversations.info', args),
  'conversations.members': (core, args) => asSeenByBot(core, 'conversations.members', args),
  'users.conversations': usersConversations,
  'usergroups.list': usergroups,
  'usergroups.users.list': usergroupUsers,
  'files.completeUploadExternal': (core, args) => completeUpload(core, { actor: BOT, args }),
  'views.open': (core, args) => changeView(core, 'views.open', args),
  'views.push': (core, args) => changeView(core, 'views.push', args),
  'views.update': (core, args) => changeView(core, 'views.update', args),
  'views.publish': (core, args) => changeView(core, 'views.publish', args),
};

/** Answers one Web API call of the bot: the rules emulate lacks first, then emulate. */
export async function callMethod(core: SlackCore, method: string, args: Fields): Promise<Fields> {
  if (HIDDEN.has(method)) return { ok: false, error: 'unknown_method' };
  const channel = args['channel'];
  const located =
    typeof channel === 'string' && method.startsWith('chat.')
      ? { ...args, channel: await channelId(core, channel) }
      : args;
  const unscoped = await scopeRefusal(core.scopes, { method, args: located }, async () => {
    const place = text(located['channel']) || text(located['channel_id']);
    return place === '' ? undefined : (await findRoom(core, place))?.type;
  });
  if (unscoped) return unscoped;
  const refused = await refusal(core, method, located);
  if (refused) return { ok: false, error: refused };
  const own = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  return own ? own(core, located) : core.upstream.call(BOT, method, located);
}

async function changeView(core: SlackCore, method: string, args: Fields): Promise<Fields> {
  const messages = viewProblems(viewOf(args));
  if (messages.length > 0) return { ok: false, error: 'invalid_arguments', response_metadata: { messages } };
  if (method === 'views.update' && core.screens.isClosed(text(args['view_id'])))
    return { ok: false, error: 'not_found' };
  const answer = await core.upstream.call(BOT, method, args);
  if (answer['ok'] === true && isRecord(answer['view'])) core.screens.shown(method, args, answer['view']);
  return answer;
}

async function pin(core: SlackCore, args: Fields): Promise<Fields> {
  const answer = await core.upstream.call(BOT, 'pins.add', args);
  if (answer['ok'] !== true) return answer;
  const [channel, ts] = [text(args['channel']), text(args['timestamp'])];
  const message = await messageAt(core, channel, ts);
  const item = { type: 'message', channel, created_by: BOT, message };
  core.events.emit({ type: 'pin_added', user: BOT, channel_id: channel, item, event_ts: freshTs() });
  return answer;
}

async function usergroups(core: SlackCore, args: Fields): Promise<Fields> {
  const shown = core.usergroups.map((group) => ({
    id: group.id,
    team_id: SLACK_IDS.team,
    is_usergroup: true,
    name: group.handle,
    handle: group.handle,
    user_count: group.users.length,
    ...(truthy(args['include_users']) ? { users: group.users } : {}),
  }));
  return { ok: true, usergroups: shown };
}

async function usergroupUsers(core: SlackCore, args: Fields): Promise<Fields> {
  const group = core.usergroups.find((one) => one.id === args['usergroup']);
  return group ? { ok: true, users: group.users } : { ok: false, error: 'no_such_subteam' };
}
