import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request of the bot, as it came, and when it was answered (milliseconds of `performance.now()`). */
export interface SlowCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  at: number;
  answeredAt: number;
}

/** Slack's Web API at `/api/`, a signed webhook target at `/target`, response URLs at `/said`: all answer late, and ok. */
export interface SlowVendors {
  url: string;
  calls: SlowCall[];
  /** The first call from `since` on that matches and was answered. */
  waitFor(isIt: (call: SlowCall) => boolean, since?: number): Promise<SlowCall>;
  /** Until nothing was asked for a while. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

const QUIET_MS = 400;
const PATIENCE_MS = 30_000;
const KEPT_HEADERS = ['content-type', 'authorization', 'idempotency-key'];

export async function startSlowVendors(delayMs: number): Promise<SlowVendors> {
  const calls: SlowCall[] = [];
  const limits: Record<string, number> = {};
  let count = 0;
  let rooms = 0;
  const answerTo = (path: string, method: string, body: string): object => {
    count += 1;
    if (path.startsWith('/target')) {
      if (method === 'POST') {
        const { subject, to } = JSON.parse(body) as { subject: string; to: number };
        limits[subject] = to;
      }
      return { prompt: 'v1', model: 'm-1', enabled: true, limits };
    }
    const ts = `1700000000.${String(count).padStart(6, '0')}`;
    const asked = new URLSearchParams(body);
    const isCreated = path === '/api/conversations.create';
    if (isCreated) rooms += 1;
    const created = { id: rooms === 1 ? 'C0ROOM' : `C0ROOM${rooms}`, name: asked.get('name') };
    const channel = isCreated ? created : asked.get('channel');
    return { ok: true, user_id: 'U0BOT', bot_id: 'B0BOT', ts, channel };
  };
  const server = createServer(async (request, response) => {
    const { method = 'GET', url: path = '/' } = request;
    const call = { method, path, headers: kept(request), body: '', at: performance.now(), answeredAt: 0 };
    calls.push(call);
    call.body = Buffer.concat(await request.toArray()).toString('utf8');
    const answer = JSON.stringify(answerTo(path, method, call.body));
    setTimeout(() => {
      call.answeredAt = performance.now();
      response.setHeader('content-type', 'application/json').end(answer);
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async waitFor(isIt, since = 0) {
      const until = performance.now() + PATIENCE_MS;
      for (;;) {
        const found = calls.slice(since).find((call) => call.answeredAt > 0 && isIt(call));
        if (found !== undefined) return found;
        if (performance.now() > until)
          throw new Error(`waited in vain; the last call: ${calls.at(-1)?.path}`);
        await sleep(2);
      }
    },
    async quiet() {
      for (let n = -1; n !== calls.length; await sleep(QUIET_MS)) n = calls.length;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function kept({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])),
  );
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
