import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Fields, text, truthy } from './slack-shapes.ts';

/** Of which kind a conversation is; many methods ask for one scope a kind. */
export type Kind = 'channel' | 'group' | 'im' | 'mpim';
type ByKind = Record<Kind, string>;

const READ: ByKind = { channel: 'channels:read', group: 'groups:read', im: 'im:read', mpim: 'mpim:read' };
const HISTORY: ByKind = {
  channel: 'channels:history',
  group: 'groups:history',
  im: 'im:history',
  mpim: 'mpim:history',
};
const MANAGE: ByKind = {
  channel: 'channels:manage',
  group: 'groups:write',
  im: 'im:write',
  mpim: 'mpim:write',
};

/** Scopes of a bot token by method, from its page under docs.slack.dev/reference/methods; null: none is needed. */
export const SCOPES_OF_METHOD: Record<string, string | ByKind | null> = {
  'api.test': null,
  'auth.test': null,
  'bookmarks.add': 'bookmarks:write',
  'bookmarks.edit': 'bookmarks:write',
  'bookmarks.list': 'bookmarks:read',
  'bookmarks.remove': 'bookmarks:write',
  'bots.info': 'users:read',
  'chat.delete': 'chat:write',
  'chat.getPermalink': null,
  'chat.postEphemeral': 'chat:write',
  'chat.postMessage': 'chat:write',
  'chat.scheduleMessage': 'chat:write',
  'chat.update': 'chat:write',
  'conversations.archive': MANAGE,
  'conversations.create': MANAGE,
  'conversations.history': HISTORY,
  'conversations.info': READ,
  'conversations.invite': MANAGE,
  'conversations.join': 'channels:join',
  'conversations.kick': MANAGE,
  'conversations.leave': MANAGE,
  'conversations.list': READ,
  'conversations.members': READ,
  'conversations.open': MANAGE,
  'conversations.rename': MANAGE,
  'conversations.replies': HISTORY,
  'conversations.setPurpose': MANAGE,
  'conversations.setTopic': MANAGE,
  'conversations.unarchive': MANAGE,
  'files.completeUploadExternal': 'files:write',
  'files.getUploadURLExternal': 'files:write',
  'files.info': 'files:read',
  'files.list': 'files:read',
  'pins.add': 'pins:write',
  'pins.list': 'pins:read',
  'pins.remove': 'pins:write',
  'reactions.add': 'reactions:write',
  'reactions.get': 'reactions:read',
  'reactions.remove': 'reactions:write',
  'team.info': 'team:read',
  'usergroups.list': 'usergroups:read',
  'usergroups.users.list': 'usergroups:read',
  'users.conversations': READ,
  'users.info': 'users:read',
  'users.list': 'users:read',
  'users.lookupByEmail': 'users:read.email',
  'views.open': null,
  'views.publish': null,
  'views.push': null,
  'views.update': null,
};

/** Every scope that a method above may ask for, and those without a method: for tests of the workspace itself. */
export const EVERY_SCOPE: readonly string[] = [
  ...new Set([
    ...Object.values(SCOPES_OF_METHOD).flatMap((needed) =>
      needed === null ? [] : typeof needed === 'string' ? [needed] : Object.values(needed),
    ),
    'app_mentions:read',
    'chat:write.public',
    'commands',
  ]),
];

/** What an installation from the project's own manifest grants to the bot, and which events it sends. */
export function readManifest(): { scopes: string[]; events: string[] } {
  const file = join(import.meta.dirname, '../../../manifest.yml');
  const manifest = parse(readFileSync(file, 'utf8')) as {
    oauth_config: { scopes: { bot: string[] } };
    settings: { event_subscriptions: { bot_events: string[] } };
  };
  return {
    scopes: manifest.oauth_config.scopes.bot,
    events: manifest.settings.event_subscriptions.bot_events,
  };
}

/**
 * Slack's refusal of a call whose scope was not granted; undefined when it was. `roomKind` is asked for the kind of the
 * conversation where the arguments do not say it; of one that nobody knows, any kind's scope will do.
 */
export async function scopeRefusal(
  granted: ReadonlySet<string>,
  { method, args }: { method: string; args: Fields },
  roomKind: () => Promise<Kind | undefined>,
): Promise<Fields | undefined> {
  const needed = SCOPES_OF_METHOD[method] ?? null;
  if (needed === null) return undefined;
  if (typeof needed === 'string') return granted.has(needed) ? undefined : missing(granted, [needed]);
  const kinds = kindsIn(method, args) ?? [await roomKind()];
  const lacking = kinds.flatMap((kind) =>
    kind === undefined || granted.has(needed[kind]) ? [] : [needed[kind]],
  );
  if (lacking.length > 0) return missing(granted, lacking);
  const all = Object.values(needed);
  return all.some((scope) => granted.has(scope)) ? undefined : missing(granted, all);
}

function kindsIn(method: string, args: Fields): Kind[] | undefined {
  if (method === 'conversations.create') return [truthy(args['is_private']) ? 'group' : 'channel'];
  if (method === 'conversations.open') return [text(args['users']).includes(',') ? 'mpim' : 'im'];
  if (method !== 'conversations.list' && method !== 'users.conversations') return undefined;
  const types = text(args['types']) || 'public_channel';
  return types.split(',').map((type) => KIND_OF_TYPE[type.trim()] ?? 'channel');
}

const KIND_OF_TYPE: Record<string, Kind> = {
  public_channel: 'channel',
  private_channel: 'group',
  im: 'im',
  mpim: 'mpim',
};

function missing(granted: ReadonlySet<string>, needed: readonly string[]): Fields {
  return {
    ok: false,
    error: 'missing_scope',
    needed: needed.join(','),
    provided: [...granted].join(','),
  };
}
