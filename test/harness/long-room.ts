import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from './bot.ts';

type Fields = Record<string, unknown>;

/** A message as Slack would tell it. */
export interface SeededMessage {
  ts: string;
  user: string;
  text: string;
  thread_ts?: string;
  reply_count?: number;
  edited?: { user: string; ts: string };
  files?: Fields[];
}

export interface LongRoom {
  /** From now on the history of this channel holds these messages as well. */
  seed(channel: string, messages: readonly SeededMessage[]): void;
  close(): Promise<void>;
}

const PAGE = 200;

/**
 * Puts a proxy between bot and workspace that adds messages and people to what Slack answers, so that a room need not be
 * filled one message at a time; call it before the bot starts.
 */
export async function startLongRoom(world: World, people: ReadonlyMap<string, string>): Promise<LongRoom> {
  const room = { channel: '', top: [] as SeededMessage[], threads: new Map<string, SeededMessage[]>() };
  const own = (method: string, asked: URLSearchParams): Fields | undefined => {
    const user = asked.get('user') ?? '';
    const name = people.get(user);
    if (method === 'users.info' && name !== undefined)
      return { ok: true, user: { id: user, name: 'someone', profile: { display_name: name } } };
    if (asked.get('channel') !== room.channel) return undefined;
    const [, from] = /^seeded:(\d+)$/.exec(asked.get('cursor') ?? '') ?? [];
    if (method === 'conversations.history' && from !== undefined) return page(room.top, Number(from));
    const thread = room.threads.get(asked.get('ts') ?? '');
    return method === 'conversations.replies' && thread !== undefined
      ? { ok: true, messages: thread }
      : undefined;
  };
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const method = (request.url ?? '').replace(/^\/api\//, '');
    const asked = new URLSearchParams(body.toString());
    const made = own(method, asked);
    if (made !== undefined) return json(response, made);
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(`${world.slack.url}${request.url}`, {
      method: request.method ?? 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    const text = await answer.text();
    const isLast = method === 'conversations.history' && asked.get('channel') === room.channel;
    response.statusCode = answer.status;
    if (isLast) return json(response, { ...JSON.parse(text), ...more(0) });
    response.setHeader('content-type', answer.headers.get('content-type') ?? 'application/json');
    response.end(text);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.env['SLACK_API_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  return {
    seed(channel, messages) {
      const isReply = ({ thread_ts, ts }: SeededMessage) => thread_ts !== undefined && thread_ts !== ts;
      room.top = messages.filter((one) => !isReply(one)).toReversed();
      room.threads = new Map(
        room.top
          .filter(({ reply_count }) => reply_count !== undefined)
          .map((root) => [
            root.ts,
            [root, ...messages.filter((one) => isReply(one) && one.thread_ts === root.ts)],
          ]),
      );
      room.channel = channel;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, answer: Fields): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answer));
}

const more = (from: number): Fields => ({
  has_more: true,
  response_metadata: { next_cursor: `seeded:${from}` },
});

function page(messages: readonly SeededMessage[], from: number): Fields {
  const isMore = from + PAGE < messages.length;
  return {
    ok: true,
    messages: messages.slice(from, from + PAGE),
    ...(isMore ? more(from + PAGE) : { has_more: false }),
  };
}
