import https from 'node:https';
import net from 'node:net';
import { api, event } from '@pagerduty/pdjs';
import { ExternalError, messageOf } from '../errors.ts';
import { type AppCredentials, tokenSource } from './token.ts';

export interface PagerDutyAccess {
  apiUrl: string;
  eventsUrl: string;
  /** An API key, or a token of a scoped app. */
  token: string | undefined;
  /** Instead of a token: the app that asks for one. */
  app?: AppCredentials | undefined;
  /** E-mail of a PagerDuty user, in whose name writes are made. */
  from: string | undefined;
}

export interface RestCall {
  method: 'get' | 'post' | 'put';
  path: string;
  body?: object;
  query?: Record<string, string | string[]>;
}

export interface EventBody {
  routing_key: string;
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
  payload?: { summary: string; source: string; severity: 'critical' | 'warning'; custom_details?: object };
  links?: { href: string; text: string }[];
  client?: string;
}

const SERVICE = 'PagerDuty';
const LARGEST_EVENT_BYTES = 512 * 1024;

export interface Client {
  rest<T>(call: RestCall): Promise<T>;
  send(body: EventBody): Promise<void>;
}

const UNAUTHORISED = 401;

/** pdjs 2.2.4, wrapped: it resolves on errors, its own timeout never aborts, and it rejects with non-errors. */
export function pagerDutyClient(access: PagerDutyAccess): Client {
  const tokens = tokenSource(access);
  const ask = async (call: RestCall, what: string): Promise<Answer & { ok: boolean }> => {
    const { token, type } = await tokens.current();
    return api({
      ...limits(),
      token,
      tokenType: type,
      url: `${access.apiUrl.replace(/\/$/, '')}${call.path}`,
      method: call.method,
      headers: call.method === 'get' ? {} : { From: access.from ?? '' },
      ...(call.body === undefined ? {} : { data: call.body }),
      ...(call.query === undefined ? {} : { queryParameters: call.query as Record<string, string> }),
    }).catch((thrown: unknown) => {
      throw asFailure(what, thrown);
    });
  };
  return {
    async rest<T>(call: RestCall) {
      const what = `${call.method.toUpperCase()} ${call.path}`;
      let answer = await ask(call, what);
      if (answer.status === UNAUTHORISED && tokens.drop()) answer = await ask(call, what);
      if (!answer.ok) throw refusal(what, answer);
      return answer.data as T;
    },
    async send(body) {
      const what = `event ${body.event_action}`;
      const bytes = Buffer.byteLength(JSON.stringify(body));
      if (bytes > LARGEST_EVENT_BYTES) throw tooLarge(what, bytes);
      const answer = await event({
        ...limits(),
        ...eventsAddress(access.eventsUrl),
        data: body as never,
      }).catch((thrown: unknown) => {
        throw asFailure(what, thrown);
      });
      if (answer.status !== 202) throw refusal(what, answer);
    },
  };
}

/** `requestTimeout: 0` removes a timer that only keeps the process alive; `timeout` and `signal` do abort. */
function limits() {
  return { requestTimeout: 0, timeout: 10_000, retryTimeout: 2_000, signal: AbortSignal.timeout(20_000) };
}

/** pdjs always speaks https to the events host; a loopback double is reached by an agent that dials plain TCP. */
function eventsAddress(eventsUrl: string): { server: string; agent?: https.Agent } {
  const url = new URL(eventsUrl);
  if (url.protocol === 'https:') return { server: url.host };
  const agent = new https.Agent();
  Object.assign(agent, { createConnection: () => net.connect(Number(url.port || 80), url.hostname) });
  return { server: url.host, agent };
}

interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  data?: {
    error?: { message?: string; code?: number; errors?: unknown };
    message?: string;
    errors?: unknown;
  };
}

function refusal(what: string, answer: Answer): ExternalError {
  const error = answer.data?.error ?? { message: answer.data?.message, errors: answer.data?.errors };
  const details = [error.message, Array.isArray(error.errors) ? error.errors.join(', ') : error.errors];
  const reset = Number(answer.headers.get('ratelimit-reset'));
  const throttled = answer.status === 429;
  return new ExternalError(`${what}: HTTP ${answer.status} ${details.filter(Boolean).join(': ')}`, {
    service: SERVICE,
    code: String('code' in error && error.code !== undefined ? error.code : answer.status),
    retryable: throttled || answer.status >= 500 || answer.status === 408,
    retryAfterMs: throttled ? (reset > 0 ? reset * 1000 : 5_000) : undefined,
    outcomeUnknown: answer.status >= 500,
  });
}

/** pdjs rejects with the response itself when the body is not JSON. */
function asFailure(what: string, thrown: unknown): ExternalError {
  const status = thrown instanceof Error ? undefined : (thrown as { status?: number }).status;
  const text = status === undefined ? messageOf(thrown) : `HTTP ${status} with a body that is not JSON`;
  const retryable = status === undefined || status >= 500 || status === 429;
  const code = status === undefined ? undefined : String(status);
  return new ExternalError(`${what}: ${text}`, {
    service: SERVICE,
    code,
    retryable,
    outcomeUnknown: retryable,
    cause: thrown,
  });
}

function tooLarge(what: string, bytes: number): ExternalError {
  return new ExternalError(`${what}: ${bytes} bytes, the limit is ${LARGEST_EVENT_BYTES}`, {
    service: SERVICE,
    retryable: false,
  });
}
