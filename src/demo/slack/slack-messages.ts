import { blockKitProblems } from '../../slack/block-kit-limits.ts';
import { freshTs } from './slack-events.ts';
import { channelId, decorate, findRoom, messageAt, messageEvent, type SlackCore } from './slack-rooms.ts';
import { type Fields, isRecord, SLACK_IDS, text, truthy } from './slack-shapes.ts';

/** Who writes and what: an actor is the bot's or a person's user id. */
export interface Write {
  actor: string;
  args: Fields;
}

const MAX_UPDATE_TEXT = 4_000;
const MAX_MARKDOWN = 12_000;
const MAX_ATTACHMENTS = 100;

/** What Slack would answer to the content of a message before storing it; undefined when it is fine. */
export function contentRefusal(args: Fields): Fields | undefined {
  if (args['blocks'] !== undefined && args['blocks'] !== '') {
    const messages = blockKitProblems(args['blocks'], 'message');
    if (messages.length > 0) {
      return { ok: false, error: 'invalid_blocks', errors: messages, response_metadata: { messages } };
    }
  }
  const attachments = args['attachments'];
  if (Array.isArray(attachments) && attachments.length > MAX_ATTACHMENTS) {
    return { ok: false, error: 'too_many_attachments' };
  }
  const metadata = args['metadata'];
  if (metadata === undefined || metadata === '') return undefined;
  const wellFormed =
    isRecord(metadata) && text(metadata['event_type']) !== '' && isRecord(metadata['event_payload']);
  return wellFormed ? undefined : { ok: false, error: 'invalid_metadata_format' };
}

/** chat.postMessage for the bot or a person, with the message event that follows from it. */
export async function postMessage(core: SlackCore, { actor, args }: Write): Promise<Fields> {
  const isBot = actor === SLACK_IDS.botUser;
  const marks = isBot
    ? { bot_id: SLACK_IDS.bot, app_id: SLACK_IDS.app }
    : { client_msg_id: crypto.randomUUID() };
  const answer = await core.upstream.call(actor, 'chat.postMessage', { ...args, ...marks });
  if (answer['ok'] !== true || !isRecord(answer['message'])) return answer;
  const room = await findRoom(core, text(answer['channel']));
  if (room?.botInside) {
    core.events.emit(messageEvent(room, answer['message']));
    emitMention(core, { channel: room.id, message: answer['message'] });
  }
  return { ...answer, message: decorate(answer['message']) };
}

/** chat.update for the bot or a person, with message_changed. */
export async function updateMessage(core: SlackCore, { actor, args }: Write): Promise<Fields> {
  if (text(args['text']).length > MAX_UPDATE_TEXT) return { ok: false, error: 'msg_too_long' };
  const channel = text(args['channel']);
  const before = await messageAt(core, channel, text(args['ts']));
  const answer = await core.upstream.call(actor, 'chat.update', args);
  if (answer['ok'] !== true || !isRecord(answer['message'])) return answer;
  const ts = freshTs();
  await emitInRoom(core, channel, {
    subtype: 'message_changed',
    hidden: true,
    ts,
    event_ts: ts,
    message: withoutMetadata(answer['message']),
    previous_message: withoutMetadata(before ?? {}),
  });
  return { ...answer, message: decorate(answer['message']) };
}

/** chat.delete for the bot or a person, with message_deleted. */
export async function deleteMessage(core: SlackCore, { actor, args }: Write): Promise<Fields> {
  const channel = text(args['channel']);
  const before = await messageAt(core, channel, text(args['ts']));
  const answer = await core.upstream.call(actor, 'chat.delete', args);
  if (answer['ok'] !== true) return answer;
  const ts = freshTs();
  await emitInRoom(core, channel, {
    subtype: 'message_deleted',
    hidden: true,
    ts,
    event_ts: ts,
    deleted_ts: text(args['ts']),
    previous_message: withoutMetadata(before ?? {}),
  });
  return answer;
}

/** reactions.add or reactions.remove, with the event of the same meaning. */
export async function changeReaction(
  core: SlackCore,
  kind: 'add' | 'remove',
  { actor, args }: Write,
): Promise<Fields> {
  const answer = await core.upstream.call(actor, `reactions.${kind}`, args);
  if (answer['ok'] !== true) return answer;
  const [channel, ts] = [text(args['channel']), text(args['timestamp'])];
  const room = await findRoom(core, channel);
  const message = await messageAt(core, channel, ts);
  if (room?.botInside) {
    core.events.emit({
      type: kind === 'add' ? 'reaction_added' : 'reaction_removed',
      user: actor,
      reaction: text(args['name']),
      item: { type: 'message', channel, ts },
      item_user: message?.['user'],
      event_ts: freshTs(),
    });
  }
  return answer;
}

/** The bot's chat.postMessage and chat.scheduleMessage: checked, then stored. */
export async function botPost(core: SlackCore, args: Fields): Promise<Fields> {
  const markdown = args['markdown_text'];
  if (markdown !== undefined && (args['text'] || args['blocks']))
    return { ok: false, error: 'markdown_text_conflict' };
  if (text(markdown).length > MAX_MARKDOWN) return { ok: false, error: 'msg_too_long' };
  const refused = contentRefusal(args);
  if (refused) return refused;
  const channel = await channelId(core, text(args['channel']));
  const content = markdown === undefined ? {} : { text: markdown, markdown_text: undefined };
  return postMessage(core, { actor: SLACK_IDS.botUser, args: { ...args, ...content, channel } });
}

/** The bot's chat.postEphemeral: remembered for the one person who sees it. */
export async function botPostEphemeral(core: SlackCore, args: Fields): Promise<Fields> {
  const refused = contentRefusal(args);
  if (refused) return refused;
  const answer = await core.upstream.call(SLACK_IDS.botUser, 'chat.postEphemeral', args);
  if (answer['ok'] === true) {
    core.ephemerals.push({
      via: 'postEphemeral',
      userId: text(args['user']),
      channel: text(args['channel']),
      ts: text(answer['message_ts']),
      text: text(args['text']),
      blocks: Array.isArray(args['blocks']) ? args['blocks'] : [],
      problems: [],
    });
  }
  return answer;
}

/** Drops metadata unless the caller asked for all of it, as history and replies do. */
export function withMetadata(message: Fields, args: Fields): Fields {
  return truthy(args['include_all_metadata']) ? decorate(message) : withoutMetadata(message);
}

function withoutMetadata(message: Fields): Fields {
  const { metadata: _metadata, ...rest } = decorate(message);
  return rest;
}

async function emitInRoom(core: SlackCore, channel: string, event: Fields): Promise<void> {
  const room = await findRoom(core, channel);
  if (room?.botInside) core.events.emit({ type: 'message', channel, channel_type: room.type, ...event });
}

function emitMention(core: SlackCore, said: { channel: string; message: Fields }): void {
  const { message } = said;
  if (!text(message['text']).includes(`<@${SLACK_IDS.botUser}>`) || message['user'] === SLACK_IDS.botUser)
    return;
  core.events.emit({ ...withoutMetadata(message), type: 'app_mention', channel: said.channel });
}
