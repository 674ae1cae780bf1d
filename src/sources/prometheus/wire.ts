import { Pool } from 'undici';
import { z } from 'zod';
import type { PrometheusConfig } from '../../config/sources.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { TAG } from './promql.ts';

const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;
/** One source is never asked more at once: the bot is not to be the load that it reports. */
export const CONNECTIONS = 4;

/** A time or a range of times, in whole seconds since 1970; a range has steps of an hour. */
export interface Span {
  startS: number;
  endS: number;
}

export interface Point {
  /** The place of the expression in the batch. */
  place: number;
  atS: number;
  labels: Record<string, string>;
  value: number;
}

/** The source understood the request and could not answer it: the query is wrong, too heavy or too slow. */
export interface Refusal {
  refusal: string;
  /** True when the query took too long, which one of many may be guilty of. */
  isSlow: boolean;
}

/** The HTTP API of Prometheus. Its calls throw ExternalError when no answer of Prometheus came. */
export interface PrometheusWire {
  /** Finite numbers only: NaN, infinities and histograms in their place are no data. */
  query(promql: string, span: Span, signal: AbortSignal): Promise<Point[] | Refusal>;
  /** Names of the metrics that match, within the span. */
  metricNames(matcher: string, span: Span, signal: AbortSignal): Promise<string[] | Refusal>;
  close(): Promise<void>;
}

const sample = z.tuple([z.number(), z.string()]);
const series = z.object({
  metric: z.record(z.string(), z.string()),
  value: sample.optional(),
  values: z.array(sample).optional(),
});
const queryAnswer = z.object({
  status: z.literal('success'),
  data: z.union([
    z.object({ resultType: z.enum(['vector', 'matrix']), result: z.array(series).nullish() }),
    z.object({ resultType: z.enum(['scalar', 'string']) }),
  ]),
});
const namesAnswer = z.object({ status: z.literal('success'), data: z.array(z.string()).nullish() });
const failure = z.object({ status: z.literal('error'), errorType: z.string().optional(), error: z.string() });

interface Sent {
  method: 'GET' | 'POST';
  path: string;
  form: Record<string, string>;
}

interface Got {
  status: number;
  retryAfter: unknown;
  text: string;
}

export function prometheusWire(config: PrometheusConfig): PrometheusWire {
  const base = new URL(config.url);
  const send = sender(config, base);
  return {
    async query(promql, span, signal) {
      const { startS, endS } = span;
      const isInstant = startS === endS;
      const sent: Sent = isInstant
        ? { method: 'POST', path: 'query', form: { query: promql, time: String(startS) } }
        : { method: 'POST', path: 'query_range', form: { query: promql, ...rangeOf(span) } };
      const answer = understood(queryAnswer, await send(sent, signal), base.host);
      return 'refusal' in answer ? answer : pointsIn(answer.data, isInstant ? 'vector' : 'matrix');
    },
    async metricNames(matcher, { startS, endS }, signal) {
      const form = { 'match[]': matcher, start: String(startS), end: String(endS) };
      const sent: Sent = { method: 'GET', path: 'label/__name__/values', form };
      const answer = understood(namesAnswer, await send(sent, signal), base.host);
      return 'refusal' in answer ? answer : (answer.data ?? []);
    },
    close: () => send.pool.destroy(),
  };
}

function sender(config: PrometheusConfig, base: URL) {
  const prefix = `${base.pathname.replace(/\/+$/, '')}/api/v1/`;
  const timeoutMs = config.timeout_seconds * 1000;
  const pool = new Pool(base.origin, {
    connections: CONNECTIONS,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: LARGEST_ANSWER_BYTES,
  });
  const plain = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(config.token === undefined ? {} : { authorization: `Bearer ${config.token}` }),
    ...config.headers,
  };
  const withForm = { ...plain, 'content-type': 'application/x-www-form-urlencoded' };
  // The server gives up first, so that it says which query was slow.
  const common = { timeout: `${Math.max(1, Math.round(timeoutMs / 2))}ms`, partial_response: 'false' };

  const send = async ({ method, path, form }: Sent, signal: AbortSignal): Promise<Got> => {
    const text = formText({ ...form, ...common });
    try {
      const answer = await pool.request(
        method === 'GET'
          ? { method, path: `${prefix}${path}?${text}`, headers: plain, signal }
          : { method, path: `${prefix}${path}`, headers: withForm, body: text, signal },
      );
      const { statusCode: status, headers: got } = answer;
      return { status, retryAfter: got['retry-after'], text: await answer.body.text() };
    } catch (thrown) {
      throw unreachable(thrown, { host: base.host, timeoutMs, isTimeout: signal.aborted });
    }
  };
  return Object.assign(send, { pool });
}

const formText = (form: Record<string, string>) =>
  Object.entries(form)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');

function rangeOf({ startS, endS }: Span): Record<string, string> {
  return { start: String(startS), end: String(endS), step: '3600' };
}

/** A scalar, a text, or samples of a time where a vector is wanted: a batch refuses them, so a query alone must too. */
function pointsIn(data: z.infer<typeof queryAnswer>['data'], wanted: 'vector' | 'matrix'): Point[] | Refusal {
  if ('result' in data && data.resultType === wanted) return (data.result ?? []).flatMap(pointsOf);
  const refusal = `it gives a ${data.resultType} where an instant vector is wanted; sum() or vector() it`;
  return { refusal, isSlow: false };
}

function pointsOf({ metric, value, values }: z.infer<typeof series>): Point[] {
  const { [TAG]: place = '0', __name__: _, ...labels } = metric;
  const samples = values ?? (value === undefined ? [] : [value]);
  return samples
    .map(([atS, text]) => ({ place: Number(place), atS, labels, value: numberOf(text) }))
    .filter((point) => Number.isFinite(point.value));
}

/** `Number` reads an empty text as 0, which no sample is. */
const numberOf = (text: string) => (text.trim() === '' ? Number.NaN : Number(text));

function understood<T>(schema: z.ZodType<T>, got: Got, host: string): T | Refusal {
  const json = jsonOf(got.text);
  const success = got.status === 200 ? schema.safeParse(json) : null;
  if (success?.success === true) return success.data;
  const told = failure.safeParse(json);
  if (told.success && REFUSALS.has(got.status)) return refusalOf(told.data);
  throw notPrometheus(got, { host, problem: told.success ? told.data.error : whatItIs(got, json) });
}

/** 400: the query is wrong; 422: it could not be carried out; 503: it took too long or was cancelled. */
const REFUSALS = new Set([400, 422, 503]);

function refusalOf({ errorType, error }: z.infer<typeof failure>): Refusal {
  const isSlow =
    errorType === 'timeout' || errorType === 'canceled' || /timed out|timeout|deadline/i.test(error);
  return { refusal: error, isSlow };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function whatItIs({ status, text }: Got, json: unknown): string {
  if (status >= 300 && status < 400)
    return `it redirects (${status}), which is not followed: set the final url`;
  if (json !== undefined) return `an answer that is not of the Prometheus API (${status})`;
  return `${/^\s*</.test(text) ? 'HTML' : 'text'} instead of JSON (${status}): is there a login page before it?`;
}

function notPrometheus({ status, retryAfter }: Got, { host, problem }: { host: string; problem: string }) {
  const seconds = Number(retryAfter);
  return new ExternalError(`${host} answered: ${problem}`, {
    service: host,
    // A login page or a wrong address is not cured by asking again soon, an overload is.
    retryable: status >= 500 || status === 429,
    code: String(status),
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
}

function unreachable(
  thrown: unknown,
  about: { host: string; timeoutMs: number; isTimeout: boolean },
): ExternalError {
  const { host, timeoutMs, isTimeout } = about;
  const problem = isTimeout
    ? `gave no answer within ${timeoutMs / 1000} s`
    : `cannot be reached: ${reasonOf(thrown)}`;
  const code = isTimeout ? 'TIMEOUT' : undefined;
  return new ExternalError(`${host} ${problem}`, { service: host, retryable: true, code, cause: thrown });
}

/** A refused connection to a host with several addresses says its reason only in its parts. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join(', ');
  return messageOf(thrown);
}
