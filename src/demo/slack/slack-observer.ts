import { wholeHistory } from './slack-conversations.ts';
import { channelId, decorate, everyChannel, type SlackCore } from './slack-rooms.ts';
import {
  type Ephemeral,
  type Fields,
  isRecord,
  list,
  SLACK_IDS,
  type SlackChannel,
  type SlackFile,
  type SlackMessage,
  type SlackView,
  text,
} from './slack-shapes.ts';

/** Looking around the workspace, past every membership rule. Channels go by id or name. */
export interface SlackObserver {
  /** The id of the person with that role name. */
  userId(name: string): string;
  /** All channels, private and archived ones too, with their members; direct messages as well. */
  channels(): Promise<SlackChannel[]>;
  /** The channel by id or name; throws when there is none. */
  channel(nameOrId: string): Promise<SlackChannel>;
  /** Top-level messages, oldest first, with blocks and metadata. */
  messages(channel: string): Promise<SlackMessage[]>;
  /** The replies in a thread, oldest first, without the parent. */
  replies(channel: string, ts: string): Promise<SlackMessage[]>;
  /** The bot's direct messages with that person, oldest first. */
  directMessages(name: string): Promise<SlackMessage[]>;
  /** What only one person saw: postEphemeral, response_url and ack bodies. */
  ephemerals(userId?: string): Ephemeral[];
  /** Open modals, the topmost last. */
  views(userId?: string): SlackView[];
  home(userId: string): SlackView | undefined;
  files(channel: string): Promise<SlackFile[]>;
  pins(channel: string): Promise<SlackMessage[]>;
  bookmarks(channel: string): Promise<{ title: string; link: string }[]>;
  /** The element with that action_id, if the message shows one. */
  findButton(message: { blocks?: Fields[] }, actionId: string): Fields | undefined;
}

/** Everything but `findButton`, which needs no workspace. */
export function createObserver(core: SlackCore): Omit<SlackObserver, 'findButton'> {
  const userId = (name: string): string => {
    const member = core.upstream.members.get(name);
    if (!member) throw new Error(`nobody here is called "${name}"`);
    return member.id;
  };
  const channels = async (): Promise<SlackChannel[]> => {
    const all = await everyChannel(core, 'public_channel,private_channel,im,mpim');
    return Promise.all(all.map((channel) => describe(core, channel)));
  };
  return {
    userId,
    channels,
    channel: async (nameOrId) => {
      const wanted = nameOrId.replace(/^#/, '');
      const found = (await channels()).find(
        (one) => one.id === wanted || (one.name === wanted && !one.is_im),
      );
      if (!found) throw new Error(`there is no channel "${nameOrId}"`);
      return found;
    },
    messages: (channel) => readChannel(core, channel),
    replies: async (channel, ts) => {
      const id = await channelId(core, channel);
      const answer = await core.upstream.call('observer', 'conversations.replies', { channel: id, ts });
      return list(answer['messages'])
        .filter((one) => one['ts'] !== ts)
        .map((one) => asMessage(one, id));
    },
    directMessages: async (name) => {
      const all = await everyChannel(core, 'im');
      const direct = all.find((channel) => channel['user'] === userId(name));
      return direct ? readChannel(core, text(direct['id'])) : [];
    },
    ephemerals: (user) => core.ephemerals.filter((one) => user === undefined || one.userId === user),
    views: (user) => core.screens.modals(user),
    home: (user) => core.screens.home(user),
    ...observeFiles(core),
  };
}

function observeFiles(core: SlackCore): Pick<SlackObserver, 'files' | 'pins' | 'bookmarks'> {
  return {
    files: async (channel) => {
      const id = await channelId(core, channel);
      const answer = await core.upstream.call('observer', 'files.list', { channel: id, count: 1000 });
      return Promise.all(
        list(answer['files'])
          .reverse()
          .map((file) => readFile(core, file)),
      );
    },
    pins: async (channel) => {
      const id = await channelId(core, channel);
      const answer = await core.upstream.call('observer', 'pins.list', { channel: id });
      return list(answer['items']).map((item) =>
        asMessage(isRecord(item['message']) ? item['message'] : {}, id),
      );
    },
    bookmarks: async (channel) => {
      const id = await channelId(core, channel);
      const answer = await core.upstream.call('observer', 'bookmarks.list', { channel_id: id });
      return list(answer['bookmarks']).map((one) => ({ title: text(one['title']), link: text(one['link']) }));
    },
  };
}

async function readChannel(core: SlackCore, channel: string): Promise<SlackMessage[]> {
  const id = await channelId(core, channel);
  const whole = await wholeHistory(core, 'observer', id);
  if (whole['ok'] !== true) throw new Error(`cannot read ${channel}: ${text(whole['error'])}`);
  return list(whole['messages'])
    .map((message) => asMessage(message, id))
    .reverse();
}

async function describe(core: SlackCore, channel: Fields): Promise<SlackChannel> {
  const id = text(channel['id']);
  const answer = await core.upstream.call('observer', 'conversations.members', { channel: id });
  const members = Array.isArray(answer['members']) ? answer['members'].map(String) : [];
  return {
    id,
    name: text(channel['name']),
    is_private: channel['is_private'] === true,
    is_archived: channel['is_archived'] === true,
    is_im: channel['is_im'] === true,
    topic: isRecord(channel['topic']) ? text(channel['topic']['value']) : '',
    purpose: isRecord(channel['purpose']) ? text(channel['purpose']['value']) : '',
    members: members.filter((member) => member !== SLACK_IDS.botUser || !core.ejected.has(id)),
  };
}

async function readFile(core: SlackCore, file: Fields): Promise<SlackFile> {
  const path = new URL(text(file['url_private'])).pathname;
  const response = await core.upstream.forward(path, { headers: { authorization: 'Bearer observer' } });
  return {
    id: text(file['id']),
    name: text(file['name']),
    title: text(file['title']),
    mimetype: text(file['mimetype']),
    content: await response.text(),
  };
}

function asMessage(message: Fields, channel: string): SlackMessage {
  return { ...decorate(message), channel } as unknown as SlackMessage;
}
