import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenOnLoopback, parseJson, sendJson } from '../loopback-server.ts';
import { type Account, createAccount } from './pagerduty-account.ts';
import { enqueue, type PagerDutyEvent } from './pagerduty-events.ts';
import { type PagerDutyPerson, personIn } from './pagerduty-person.ts';
import { answerRest } from './pagerduty-routes.ts';
import {
  type OnCallSeed,
  type PagerDutyIncident,
  PagerDutyRefusal,
  type PagerDutyUser,
  type ServiceSeed,
} from './pagerduty-shapes.ts';
import type { PagerDutyAlert, PagerDutyNote, PagerDutyNotification } from './pagerduty-state.ts';
import { createWebhookSender, type WebhookSender } from './pagerduty-webhooks.ts';

/** How to furnish the account. */
export interface PagerDutyOptions {
  token: string;
  /** E-mail of one more user, the one the bot acts as. */
  from?: string;
  /** Integration key of the first service, 32 characters. */
  routingKey?: string;
  services: ServiceSeed[];
  oncalls: OnCallSeed[];
  users?: PagerDutyUser[];
  /** P1 to P4 unless given. */
  priorities?: { id: string; name: string }[];
  port?: number;
}

/** What coming requests suffer. 'reset' performs the request and then drops the connection; 'html' is a proxy's 502. */
export interface PagerDutyFault {
  kind: '402' | '429' | '500' | 'html' | 'reset' | 'hang';
  method?: string;
  /** Start of the path, such as '/incidents' or '/v2/enqueue'. */
  path?: string;
  times?: number;
  resetSeconds?: number;
}

/** One request that arrived; status 0 means it was left without an answer. */
export interface PagerDutyCall {
  method: string;
  path: string;
  query: Record<string, string[]>;
  headers: { from?: string; accept?: string; contentType?: string };
  body: unknown;
  status: number;
  response: unknown;
  at: number;
}

/** A PagerDuty account on this machine: REST and Events v2 on one base URL. */
export interface PagerDuty {
  readonly url: string;
  readonly incidents: PagerDutyIncident[];
  readonly notes: PagerDutyNote[];
  readonly alerts: PagerDutyAlert[];
  /** Accepted Events v2, in order. */
  readonly events: PagerDutyEvent[];
  readonly calls: PagerDutyCall[];
  /** V3 webhooks: `webhooks.connect(url, secret)` subscribes the bot. */
  readonly webhooks: WebhookSender;
  /** Whose phone rang. */
  readonly notifications: PagerDutyNotification[];
  /** Nothing reaches this person any more. */
  silence(userId: string): void;
  open(): PagerDutyIncident[];
  as(userId: string): PagerDutyPerson;
  fault(fault: PagerDutyFault): void;
  clearFaults(): void;
  close(): Promise<void>;
}

interface Parts {
  account: Account;
  token: string;
  events: PagerDutyEvent[];
  faults: { fault: PagerDutyFault; left: number }[];
}

const PRIORITIES = ['P1', 'P2', 'P3', 'P4'].map((name, index) => ({ id: `PRIO${index + 1}`, name }));
const ACCEPTABLE = ['application/vnd.pagerduty+json', 'application/json', '*/*'];

/** Starts the double on 127.0.0.1. */
export async function startPagerDuty(options: PagerDutyOptions): Promise<PagerDuty> {
  const account = createAccount({
    services: options.services.map((service, index) =>
      index === 0 && options.routingKey ? { routingKey: options.routingKey, ...service } : service,
    ),
    oncalls: options.oncalls,
    users: usersOf(options),
    priorities: options.priorities ?? PRIORITIES,
  });
  const webhooks = createWebhookSender();
  account.onChange(webhooks.send);
  const parts: Parts = { account, token: options.token, events: [], faults: [] };
  const calls: PagerDutyCall[] = [];
  const server = await listenOnLoopback(async (request, response, raw) => {
    const call = describe(request, raw);
    calls.push(call);
    handle(parts, { call, request, response, raw });
  }, options.port ?? 0);
  return {
    url: server.url,
    incidents: account.incidents,
    notes: account.notes,
    alerts: account.alerts,
    events: parts.events,
    calls,
    webhooks,
    notifications: account.notifications,
    silence: (userId) => void account.unreachable.add(userId),
    open: () => account.incidents.filter((incident) => incident.status !== 'resolved'),
    as: (userId) => personIn(account, userId),
    fault: (fault) => {
      parts.faults.push({ fault, left: fault.times ?? 1 });
    },
    clearFaults: () => {
      parts.faults.length = 0;
    },
    close: server.close,
  };
}

interface Exchange {
  call: PagerDutyCall;
  request: IncomingMessage;
  response: ServerResponse;
  raw: Buffer;
}

function handle(parts: Parts, exchange: Exchange): void {
  const { call, response, request } = exchange;
  const hit = parts.faults.find(
    ({ fault, left }) =>
      left > 0 &&
      (fault.method === undefined || fault.method === call.method) &&
      call.path.startsWith(fault.path ?? '/'),
  );
  if (hit) hit.left -= 1;
  const kind = hit?.fault.kind;
  if (kind === 'hang') return;
  if (kind === 'html') return reply(call, response, { status: 502, text: '<html>Bad Gateway</html>' });
  if (kind === '402') return reply(call, response, missingAbility());
  if (kind === '500')
    return reply(call, response, {
      status: 500,
      body: { error: { message: 'Internal Server Error', code: 2000 } },
    });
  if (kind === '429') return reply(call, response, rateLimited(hit?.fault.resetSeconds ?? 1));
  const answer = /^(\/v2)?\/enqueue$/.test(call.path)
    ? takeEvent(parts, exchange)
    : takeRest(parts, exchange);
  if (kind === 'reset') {
    call.response = answer.body;
    request.socket.destroy();
  } else reply(call, response, answer);
}

function takeEvent(parts: Parts, { call, raw }: Exchange): { status: number; body: unknown } {
  if (call.method !== 'POST')
    return { status: 405, body: { status: 'error', message: 'method not allowed' } };
  const { event, ...answer } = enqueue(parts.account, raw);
  if (event) parts.events.push(event);
  return answer;
}

function takeRest(parts: Parts, { call, request }: Exchange): { status: number; body: unknown } {
  try {
    const given = request.headers.authorization;
    if (given !== `Token token=${parts.token}` && given !== `Bearer ${parts.token}`)
      throw new PagerDutyRefusal(401, 2006);
    const accept = call.headers.accept ?? '*/*';
    if (!ACCEPTABLE.some((type) => accept.includes(type))) throw new PagerDutyRefusal(406, 2001, ['Accept']);
    const hasBody = call.method === 'POST' || call.method === 'PUT';
    if (hasBody && !/^application\/json\b/.test(call.headers.contentType ?? '')) {
      throw new PagerDutyRefusal(415, 2001, ['Content-Type must be application/json']);
    }
    const query = new URL(request.url ?? '/', 'http://pagerduty.invalid').searchParams;
    return structuredClone(answerRest(parts.account, { ...call, query, from: call.headers.from }));
  } catch (error) {
    if (!(error instanceof PagerDutyRefusal)) throw error;
    const { status, code, message, errors } = error;
    return { status, body: { error: { message, code, ...(errors.length > 0 ? { errors } : {}) } } };
  }
}

function reply(
  call: PagerDutyCall,
  response: ServerResponse,
  answer: { status: number; body?: unknown; text?: string; headers?: Record<string, string> },
): void {
  call.status = answer.status;
  call.response = answer.body ?? answer.text;
  if (answer.text !== undefined)
    response.writeHead(answer.status, { 'content-type': 'text/html' }).end(answer.text);
  else sendJson(response, answer);
}

function missingAbility(): { status: number; body: unknown } {
  return { status: 402, body: { error: { message: 'Required abilities are not available', code: 2014 } } };
}

function rateLimited(seconds: number): { status: number; body: unknown; headers: Record<string, string> } {
  const headers = {
    'ratelimit-limit': '960',
    'ratelimit-remaining': '0',
    'ratelimit-reset': String(seconds),
  };
  return { status: 429, body: { error: { message: 'Rate Limit Exceeded', code: 2020 } }, headers };
}

function describe(request: IncomingMessage, raw: Buffer): PagerDutyCall {
  const url = new URL(request.url ?? '/', 'http://pagerduty.invalid');
  const { from, accept, 'content-type': contentType } = request.headers;
  const query = Object.fromEntries(
    [...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key)]),
  );
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query,
    headers: {
      ...(from ? { from } : {}),
      ...(accept ? { accept } : {}),
      ...(contentType ? { contentType } : {}),
    },
    body: raw.length > 0 ? parseJson(raw) : undefined,
    status: 0,
    response: undefined,
    at: Date.now(),
  };
}

function usersOf(options: PagerDutyOptions): PagerDutyUser[] {
  const named = [...options.oncalls.map((one) => one.user), ...(options.users ?? [])];
  const bot = options.from ? [{ id: 'PBOTUSER', name: 'llm-incident', email: options.from }] : [];
  const all = new Map([...bot, ...named].map((user) => [user.email, user]));
  return [...all.values()];
}
