import type { IncomingHttpHeaders } from 'node:http';
import {
  type LoopbackServer,
  listenOnLoopback,
  parseJson,
  sendJson,
} from '../../src/demo/loopback-server.ts';

export interface VendorRequest {
  method: string;
  /** As it came, encoded. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface VendorReply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export type VendorMishap =
  /** Nothing: the next mishap is for the request after it. */
  | { kind: 'none' }
  /** Does what it is asked and never answers. */
  | { kind: 'hang' }
  /** Answers this and does nothing. */
  | { kind: 'answer'; reply: VendorReply }
  | { kind: 'html' };

/** A vendor's API at the wire: it does what `handle` says, but for what the next request suffers. */
export interface VendorDouble extends LoopbackServer {
  requests: VendorRequest[];
  /** All but the GETs. */
  changes(): VendorRequest[];
  next(which: 'ask' | 'change', mishap: VendorMishap): void;
  /** While it is away, every connection is cut before anything is done. */
  away(is: boolean): void;
}

export async function startVendor(handle: (request: VendorRequest) => VendorReply): Promise<VendorDouble> {
  const requests: VendorRequest[] = [];
  const waiting: { which: string; mishap: VendorMishap }[] = [];
  let isAway = false;
  const server = await listenOnLoopback(async (incoming, response, body) => {
    if (isAway) return void incoming.socket.destroy();
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://vendor');
    const method = incoming.method ?? 'GET';
    const { headers } = incoming;
    const request = { method, path: pathname, query: searchParams, headers, body: parseJson(body) };
    requests.push(request);
    const which = method === 'GET' ? 'ask' : 'change';
    const index = waiting.findIndex((one) => one.which === which);
    const mishap = index < 0 ? undefined : waiting.splice(index, 1)[0]?.mishap;
    if (mishap?.kind === 'html') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Sign in</html>');
      return;
    }
    const reply = mishap?.kind === 'answer' ? mishap.reply : handle(request);
    if (mishap?.kind === 'hang') return;
    if (reply.body === undefined) response.writeHead(reply.status, reply.headers).end();
    else sendJson(response, reply);
  });
  return {
    ...server,
    requests,
    changes: () => requests.filter(({ method }) => method !== 'GET'),
    next: (which, mishap) => void waiting.push({ which, mishap }),
    away: (is) => {
      isAway = is;
    },
  };
}
