import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What befalls one request of the bot to its target. */
export type Mishap =
  /** Nothing does: the next mishap is for the request after it. */
  | { kind: 'none' }
  /** The request does not arrive before `release`. */
  | { kind: 'hold-request' }
  /** The target does what it is asked; its answer does not come back. */
  | { kind: 'hold-answer' }
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string };

/** Stands between the bot and its target, passing on what no test holds up. */
export interface TargetGate {
  url: string;
  /** Every request that the bot sent, in order. */
  requests: { method: string; url: string; body: string }[];
  /** The next request with that method suffers this. */
  next(method: 'GET' | 'POST', mishap: Mishap): void;
  /** How many mishaps wait for a request with that method. */
  waiting(method: 'GET' | 'POST'): number;
  /** Drops the mishaps that nothing has suffered yet. */
  forget(): void;
  /** Resolves when something is held up. */
  held(): Promise<void>;
  /** Lets what was held up go on. */
  release(): void;
  close(): Promise<void>;
}

export async function startTargetGate(controlUrl: () => string): Promise<TargetGate> {
  const requests: TargetGate['requests'] = [];
  const waiting: { method: string; mishap: Mishap }[] = [];
  const holds: (() => void)[] = [];
  const watchers: (() => void)[] = [];
  const hold = () =>
    new Promise<void>((resolve) => {
      holds.push(resolve);
      for (const seen of watchers.splice(0)) seen();
    });

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url = '/' } = request;
    const body = Buffer.concat(chunks).toString();
    requests.push({ method, url, body });
    const index = waiting.findIndex((one) => one.method === method);
    const mishap = index < 0 ? undefined : waiting.splice(index, 1)[0]?.mishap;
    if (mishap?.kind === 'answer') {
      response.writeHead(mishap.status, mishap.headers).end(mishap.body ?? '');
      return;
    }
    if (mishap?.kind === 'hold-request') await hold();
    const passed = await pass(new URL(url, controlUrl()), request, body);
    if (mishap?.kind === 'hold-answer') await hold();
    response.writeHead(passed.status, { 'content-type': 'application/json' }).end(passed.text);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/control`,
    requests,
    next: (method, mishap) => void waiting.push({ method, mishap }),
    waiting: (method) => waiting.filter((one) => one.method === method).length,
    forget: () => void waiting.splice(0),
    held: () => (holds.length > 0 ? Promise.resolve() : new Promise((resolve) => watchers.push(resolve))),
    release: () => {
      for (const go of holds.splice(0)) go();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function pass(
  url: URL,
  request: IncomingMessage,
  body: string,
): Promise<{ status: number; text: string }> {
  const kept = Object.entries(request.headers).filter(([name]) =>
    /^(x-llm|idempotency|content-type|accept$)/.test(name),
  );
  const answer = await fetch(url, {
    method: request.method ?? 'GET',
    headers: Object.fromEntries(kept) as Record<string, string>,
    ...(body === '' ? {} : { body }),
  });
  return { status: answer.status, text: await answer.text() };
}
