import { z } from 'zod';
import type { ChannelMessage } from '../flow/ports.ts';
import { roomFile, sharedFile } from './shared-file.ts';
import type { WebApi } from './web-api.ts';

const PAGE = 200;

const message = z.looseObject({
  ts: z.string(),
  thread_ts: z.string().optional(),
  subtype: z.string().optional(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  text: z.string().default(''),
  reply_count: z.number().default(0),
  edited: z.object({ ts: z.string() }).optional(),
  files: z.array(sharedFile).default([]),
  metadata: z
    .looseObject({ event_payload: z.looseObject({ key: z.string().optional() }).optional() })
    .optional(),
  blocks: z.array(z.looseObject({ block_id: z.string().optional() })).default([]),
});

const page = z.looseObject({
  messages: z.array(z.unknown()).default([]),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});

export type SlackMessage = z.infer<typeof message>;

/** Who came and left, as Slack writes it into a channel. */
const PRESENCE = /^(?:channel|group)_(join|leave)$/;
/** Housekeeping that Slack writes into a channel; nobody said it. */
const HOUSEKEEPING = /^(?:channel|group)_(?:topic|purpose|name|archive|unarchive)$/;

/** A message as Slack sends it, or null for housekeeping and for something without the fields that we need. */
export function readMessage(value: unknown): SlackMessage | null {
  const parsed = message.safeParse(value);
  if (!parsed.success) return null;
  return HOUSEKEEPING.test(parsed.data.subtype ?? '') ? null : parsed.data;
}

/** All top-level messages of a channel, newest first, page by page. */
export async function* channelHistory(api: WebApi, channelId: string): AsyncGenerator<SlackMessage> {
  const fetchPage = (cursor: string | undefined) =>
    api.call('conversations.history', (client) =>
      client.conversations.history({
        channel: channelId,
        limit: PAGE,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
  yield* allPages(fetchPage);
}

/** All messages of a thread, its root included, oldest first. */
export async function* threadHistory(
  api: WebApi,
  thread: { channelId: string; rootTs: string },
): AsyncGenerator<SlackMessage> {
  const fetchPage = (cursor: string | undefined) =>
    api.call('conversations.replies', (client) =>
      client.conversations.replies({
        channel: thread.channelId,
        ts: thread.rootTs,
        limit: PAGE,
        include_all_metadata: true,
        ...(cursor === undefined ? {} : { cursor }),
      }),
    );
  yield* allPages(fetchPage);
}

/** How far back a lost post is looked for in a channel. */
const LOOK_BACK_MESSAGES = 400;

/** Where a post that got no answer would be: all of its thread, or the newest messages of its channel. */
export async function* whereItWouldBe(
  api: WebApi,
  { channelId, threadTs }: { channelId: string; threadTs?: string },
): AsyncGenerator<SlackMessage> {
  if (threadTs !== undefined) {
    yield* threadHistory(api, { channelId, rootTs: threadTs });
    return;
  }
  let seen = 0;
  for await (const found of channelHistory(api, channelId)) {
    yield found;
    seen += 1;
    if (seen >= LOOK_BACK_MESSAGES) return;
  }
}

async function* allPages(
  fetchPage: (cursor: string | undefined) => Promise<unknown>,
): AsyncGenerator<SlackMessage> {
  let cursor: string | undefined;
  do {
    const { messages, response_metadata } = page.parse(await fetchPage(cursor));
    for (const value of messages) {
      const found = readMessage(value);
      if (found !== null) yield found;
    }
    const next = response_metadata?.next_cursor;
    cursor = next === undefined || next === '' || next === cursor ? undefined : next;
  } while (cursor !== undefined);
}

export function toChannelMessage(found: SlackMessage): ChannelMessage {
  const [, came] = PRESENCE.exec(found.subtype ?? '') ?? [];
  return {
    ts: found.ts,
    threadTs: found.thread_ts === undefined || found.thread_ts === found.ts ? null : found.thread_ts,
    userId: found.user ?? found.bot_id ?? 'unknown',
    text: found.text,
    editedTs: found.edited?.ts ?? null,
    files: found.files.map(roomFile),
    ...(came === undefined ? {} : { presence: came === 'join' ? ('joined' as const) : ('left' as const) }),
  };
}

/** True for the message that was posted under `key`: by its metadata, or by the id of its first block. */
export function wasPostedAs(found: SlackMessage, key: string): boolean {
  return found.metadata?.event_payload?.key === key || found.blocks[0]?.block_id === key;
}
