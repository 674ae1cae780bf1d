import type { KnownBlock } from '@slack/types';
import { ExternalError } from '../errors.ts';
import type { Chat, OutgoingMessage, PostedRef, Room, RoomMessage, WantedRoom } from '../flow/ports.ts';
import { channelName } from './channel-name.ts';
import { fetchFile } from './file-download.ts';
import { uploadOnce } from './file-upload.ts';
import {
  channelHistory,
  type SlackMessage,
  threadHistory,
  toChannelMessage,
  wasPostedAs,
  whereItWouldBe,
} from './history.ts';
import { archive, emailOf, isMember, permalink, publishHome, zoneOffsetMinutes } from './lookups.ts';
import { rememberedNames } from './remembered-names.ts';
import { render } from './views/render.ts';
import type { WebApi } from './web-api.ts';

const EVENT_TYPE = 'llm_incident_message';
const INVITES_PER_CALL = 100;
/** Invitations that need nothing more from us. */
const INVITED_ANYWAY = new Set(['already_in_channel', 'cant_invite_self']);
const NAME_ATTEMPTS = 20;

/** Where people talk, on Slack's Web API. */
export function slackChat(api: WebApi, self: { botUserId: string }): Chat {
  return {
    botUserId: self.botUserId,
    createRoom: (room) => createRoom(api, self.botUserId, room),
    invite: (channelId, userIds) => inviteAll(api, channelId, userIds),
    setTopic: (channelId, topic) => setTopic(api, channelId, topic),
    archive: (channelId) => archive(api, channelId),
    post: (message) => postOnce(api, message),
    edit: (ref, message) => edit(api, ref, message),
    upload: (file) => uploadOnce(api, file),
    fetchFile: (file) => fetchFile(api.client, file),
    async whisper({ channelId, userId, text }) {
      await api.call('chat.postEphemeral', (c) =>
        c.chat.postEphemeral({ channel: channelId, user: userId, text }),
      );
    },
    async *history(channelId) {
      for await (const found of channelHistory(api, channelId)) {
        yield { ...toChannelMessage(found), replyCount: found.reply_count };
      }
    },
    async *thread(channelId, rootTs) {
      for await (const found of threadHistory(api, { channelId, rootTs })) {
        if (found.ts !== rootTs) yield toChannelMessage(found);
      }
    },
    async membersOfGroup(groupId) {
      const answer = await api.call('usergroups.users.list', (c) =>
        c.usergroups.users.list({ usergroup: groupId }),
      );
      return answer.users ?? [];
    },
    permalink: (channelId, ts) => permalink(api, channelId, ts),
    publishHome: (userId, home) => publishHome(api, userId, home),
    zoneOffsetMinutes: (userId) => zoneOffsetMinutes(api, userId),
    membersOfRoom: (channelId) => membersOfRoom(api, channelId),
    async directChannel(userId) {
      const answer = await api.call('conversations.open', (c) => c.conversations.open({ users: userId }));
      return answer.channel?.id ?? userId;
    },
    displayName: rememberedNames(async (userId) => {
      const answer = await api.call('users.info', (c) => c.users.info({ user: userId }));
      return answer.user?.profile?.display_name || answer.user?.real_name || answer.user?.name || userId;
    }),
    userByEmail: (email) => userByEmail(api, email),
    emailOf: (userId) => emailOf(api, userId),
    isMember: (userId) => isMember(api, userId),
  };
}

async function* membersOfRoom(api: WebApi, channel: string): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const paging = cursor === undefined ? {} : { cursor };
    const answer = await api.call('conversations.members', (c) =>
      c.conversations.members({ channel, limit: 1000, ...paging }),
    );
    yield* answer.members ?? [];
    cursor = answer.response_metadata?.next_cursor || undefined;
  } while (cursor !== undefined);
}

async function userByEmail(api: WebApi, email: string): Promise<string | null> {
  try {
    const answer = await api.call('users.lookupByEmail', (c) => c.users.lookupByEmail({ email }));
    const { id, deleted, is_bot, profile } = answer.user ?? {};
    const isTheSame = profile?.email?.toLowerCase() === email.toLowerCase();
    return id !== undefined && isTheSame && deleted !== true && is_bot !== true ? id : null;
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === 'users_not_found') return null;
    throw thrown;
  }
}

/** Tries the name, then name-2, name-3 …; after an unanswered attempt, a room that we made under it is ours. */
async function createRoom(api: WebApi, botUserId: string, wanted: WantedRoom): Promise<Room> {
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt += 1) {
    // The name of a private room tells nothing: anyone may see it in an error or a link.
    const name = channelName({ ...wanted, title: wanted.private ? '' : wanted.title, attempt });
    const room =
      (await createNamed(api, name, wanted)) ?? (wanted.retried ? await findOwn(api, botUserId, name) : null);
    if (room === null) continue;
    await tryTopic(api, room.channelId, wanted.topic);
    return room;
  }
  throw new ExternalError(`conversations.create: every name for INC-${wanted.incidentId} is taken`, {
    service: 'Slack',
    code: 'name_taken',
    retryable: false,
  });
}

/** A workspace may keep topics to its admins; the room is one all the same. */
async function tryTopic(api: WebApi, channel: string, topic: string): Promise<void> {
  try {
    await setTopic(api, channel, topic);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
  }
}

async function setTopic(api: WebApi, channel: string, topic: string): Promise<void> {
  await api.call('conversations.setTopic', (c) =>
    c.conversations.setTopic({ channel, topic: topic.slice(0, 250) }),
  );
}

async function createNamed(api: WebApi, name: string, wanted: WantedRoom): Promise<Room | null> {
  try {
    const { channel } = await api.call('conversations.create', (c) =>
      c.conversations.create({ name, is_private: wanted.private }),
    );
    return { channelId: channel?.id ?? '', channelName: channel?.name ?? name };
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === 'name_taken') return null;
    throw thrown;
  }
}

/** Our own channels are few; where Slack will not name them, all channels are looked through. */
async function findOwn(api: WebApi, botUserId: string, name: string): Promise<Room | null> {
  try {
    return await searchOwn(api, 'users.conversations', { botUserId, name });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    return searchOwn(api, 'conversations.list', { botUserId, name });
  }
}

async function searchOwn(
  api: WebApi,
  method: 'users.conversations' | 'conversations.list',
  own: { botUserId: string; name: string },
): Promise<Room | null> {
  let cursor: string | undefined;
  do {
    const page = { types: 'public_channel,private_channel', limit: 200, exclude_archived: true };
    const paging = cursor === undefined ? page : { ...page, cursor };
    const answer = await api.call(method, (c) =>
      method === 'conversations.list' ? c.conversations.list(paging) : c.users.conversations(paging),
    );
    const found = answer.channels?.find(
      ({ name, creator }) => name === own.name && creator === own.botUserId,
    );
    if (found?.id !== undefined) return { channelId: found.id, channelName: own.name };
    cursor = answer.response_metadata?.next_cursor || undefined;
  } while (cursor !== undefined);
  return null;
}

/** One person who cannot be invited keeps nobody else out. */
async function inviteAll(api: WebApi, channelId: string, userIds: string[]): Promise<void> {
  for (let i = 0; i < userIds.length; i += INVITES_PER_CALL) {
    const users = userIds.slice(i, i + INVITES_PER_CALL);
    try {
      await api.call('conversations.invite', (c) =>
        c.conversations.invite({ channel: channelId, users: users.join(','), force: true }),
      );
    } catch (thrown) {
      const failure = thrown as ExternalError;
      if (failure.retryable) throw failure;
      if (users.length > 1) for (const user of users) await inviteAll(api, channelId, [user]);
      else if (!INVITED_ANYWAY.has(failure.code ?? '') && !isAboutTheUser(failure)) throw failure;
    }
  }
}

const isAboutTheUser = (failure: ExternalError) => /user|invite|ura_max|org/.test(failure.code ?? '');

async function postOnce(api: WebApi, outgoing: OutgoingMessage): Promise<PostedRef> {
  const { channelId, key, threadTs } = outgoing;
  if (outgoing.retried) {
    const found = await findPosted(api, outgoing);
    if (found !== null) return { channelId, ts: found.ts };
  }
  const { text, blocks } = render(outgoing.message);
  const answer = await api.call(
    'chat.postMessage',
    (c) =>
      c.chat.postMessage({
        channel: channelId,
        text,
        blocks: withKey(blocks, key),
        metadata: { event_type: EVENT_TYPE, event_payload: { key } },
        unfurl_links: false,
        unfurl_media: false,
        ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
      }),
    channelId,
  );
  return { channelId, ts: answer.ts ?? '' };
}

/** The key travels as the first block's id as well, for places that drop metadata. */
function withKey(blocks: KnownBlock[], key: string): KnownBlock[] {
  return blocks.map((block, index) => (index === 0 ? { ...block, block_id: key } : block));
}

async function findPosted(api: WebApi, outgoing: OutgoingMessage): Promise<SlackMessage | null> {
  for await (const found of whereItWouldBe(api, outgoing)) if (wasPostedAs(found, outgoing.key)) return found;
  return null;
}

async function edit(api: WebApi, ref: PostedRef, message: RoomMessage): Promise<void> {
  const { text, blocks } = render(message);
  await api.call('chat.update', (c) => c.chat.update({ channel: ref.channelId, ts: ref.ts, text, blocks }));
}
