import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LoopbackServer, listenOnLoopback, parseJson } from '../loopback-server.ts';
import type { SlackFault, SlackFaults } from './slack-faults.ts';
import { callMethod } from './slack-methods.ts';
import { takeResponse } from './slack-responses.ts';
import type { SlackCore } from './slack-rooms.ts';
import { type Fields, type RecordedCall, text } from './slack-shapes.ts';

/** What the HTTP side needs besides the workspace itself. */
export interface ServerParts {
  core: SlackCore;
  faults: SlackFaults;
  calls: RecordedCall[];
  botToken: string;
  /** Seconds to wait, when Slack's own limits are switched on and this call exceeds them. */
  overLimit(method: string, channel: string): number;
}

interface Exchange {
  parts: ServerParts;
  request: IncomingMessage;
  response: ServerResponse;
}

const JSON_ARGUMENTS = ['blocks', 'attachments', 'metadata', 'view', 'files'];

/** Listens at once, so that the address is known; requests are refused until `serve` is given the workspace. */
export async function openServer(
  port: number,
): Promise<LoopbackServer & { serve(parts: ServerParts): void }> {
  let parts: ServerParts | undefined;
  const server = await listenOnLoopback(async (request, response, raw) => {
    if (!parts) return void response.writeHead(503).end();
    await parts.core.activity.track(route({ parts, request, response }, raw));
  }, port);
  return {
    ...server,
    serve: (ready) => {
      parts = ready;
    },
  };
}

async function route(exchange: Exchange, raw: Buffer): Promise<void> {
  const { core } = exchange.parts;
  const url = new URL(exchange.request.url ?? '/', 'http://slack.invalid');
  if (url.pathname.startsWith('/api/')) return api(exchange, url, raw);
  if (url.pathname.startsWith('/response/')) {
    const answer = await takeResponse(core, url.pathname.slice('/response/'.length), parseJson(raw));
    exchange.response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    return;
  }
  if (/^\/(upload|files-pri)\//.test(url.pathname)) return passFile(exchange, url, raw);
  // Everything else a browser may ask for is emulate's own page with messages, channels, files and views.
  if (exchange.request.method === 'GET') return passFile(exchange, url, raw);
  exchange.response.writeHead(404).end();
}

async function api(exchange: Exchange, url: URL, raw: Buffer): Promise<void> {
  const { parts, request } = exchange;
  const method = url.pathname.slice('/api/'.length);
  const args = { ...Object.fromEntries(url.searchParams), ...parseArguments(request, raw) };
  const call: RecordedCall = { method, args, status: 0, response: {}, at: Date.now() };
  const refused = refuseToken(request, args, parts.botToken);
  delete args['token'];
  parts.calls.push(call);
  if (refused) return answer(exchange, call, { status: 200, body: { ok: false, error: refused } });
  const channel = text(args['channel']) || text(args['channel_id']);
  const fault = parts.faults.take(method, channel);
  if (fault) return suffer(exchange, call, fault);
  const waitSeconds = parts.overLimit(method, channel);
  if (waitSeconds > 0) return answer(exchange, call, rateLimited(waitSeconds));
  answer(exchange, call, { status: 200, body: await callMethod(parts.core, method, args) });
}

async function suffer(exchange: Exchange, call: RecordedCall, fault: SlackFault): Promise<void> {
  if (fault.kind === '429') return answer(exchange, call, rateLimited(fault.retryAfterSeconds ?? 1));
  if (fault.kind === '500')
    return answer(exchange, call, { status: 500, body: { ok: false, error: 'fatal_error' } });
  if (fault.kind === 'hang') return;
  if (fault.kind === 'cut') return void exchange.request.socket.destroy();
  call.response = await callMethod(exchange.parts.core, call.method, call.args);
  exchange.request.socket.destroy();
}

function answer(
  exchange: Exchange,
  call: RecordedCall,
  sent: { status: number; body: Fields; headers?: Record<string, string> },
): void {
  call.status = sent.status;
  call.response = sent.body;
  exchange.response.writeHead(sent.status, {
    'content-type': 'application/json; charset=utf-8',
    'x-oauth-scopes': [...exchange.parts.core.scopes].join(','),
    ...sent.headers,
  });
  exchange.response.end(JSON.stringify(sent.body));
}

function rateLimited(seconds: number): { status: number; body: Fields; headers: Record<string, string> } {
  return {
    status: 429,
    body: { ok: false, error: 'ratelimited' },
    headers: { 'retry-after': String(seconds) },
  };
}

function refuseToken(request: IncomingMessage, args: Fields, botToken: string): string | undefined {
  const header = request.headers.authorization?.replace(/^Bearer\s+/i, '').trim();
  const token = header || text(args['token']);
  if (!token) return 'not_authed';
  return token === botToken ? undefined : 'invalid_auth';
}

async function passFile(exchange: Exchange, url: URL, raw: Buffer): Promise<void> {
  const { request, response, parts } = exchange;
  const { authorization } = request.headers;
  if (url.pathname.startsWith('/files-pri/') && authorization !== `Bearer ${parts.botToken}`) {
    response.writeHead(authorization ? 403 : 302).end();
    return;
  }
  const headers: Record<string, string> = {};
  if (authorization) headers['authorization'] = authorization;
  if (request.headers['content-type']) headers['content-type'] = request.headers['content-type'];
  const init: RequestInit = { method: request.method ?? 'GET', headers };
  if (request.method !== 'GET') init.body = new Uint8Array(raw);
  const upstream = await parts.core.upstream.forward(url.pathname + url.search, init);
  response.writeHead(upstream.status, {
    'content-type': upstream.headers.get('content-type') ?? 'text/plain',
  });
  response.end(Buffer.from(await upstream.arrayBuffer()));
}

function parseArguments(request: IncomingMessage, raw: Buffer): Fields {
  const body = raw.toString();
  if (request.headers['content-type']?.includes('json')) return (parseJson(body) ?? {}) as Fields;
  const args: Fields = Object.fromEntries(new URLSearchParams(body));
  for (const key of JSON_ARGUMENTS) {
    if (typeof args[key] === 'string' && args[key] !== '') args[key] = parseJson(args[key]) ?? args[key];
  }
  return args;
}
