import { z } from 'zod';
import { ExternalError, messageOf } from '../../errors.ts';

export interface VendorAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

/** Whom an error speaks of, and what it must not say. */
interface Speaker {
  vendor: string;
  secrets: readonly string[];
}

const LONGEST_MESSAGE = 200;
const WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60 * 60_000;
/** Failures before anything was sent: the change cannot have been made. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ADDRESS_REFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The config names something that is not there. */
export const MISNAMED = 'MISNAMED';

/** An expected refusal of ours, before anything was sent or where nothing was changed. */
export function refusal(vendor: string, code: string, message: string): ExternalError {
  return new ExternalError(message, { service: vendor, code, retryable: false });
}

/**
 * Policy: 429, and 403 with a rate limit's headers, wait as long as they say; 5xx may pass, and may have changed
 * something; every other status is final and changed nothing.
 */
export function refusedBy(speaker: Speaker, method: string, answer: VendorAnswer): ExternalError {
  const throttled = isThrottled(answer);
  const said = messageIn(answer.text, speaker.secrets);
  const told = [said, cureOf(answer, throttled)].filter((part) => part !== '').join('; ');
  return new ExternalError(
    `${speaker.vendor} answered ${answer.status} to ${method}${told === '' ? '' : `: ${told}`}`,
    {
      service: speaker.vendor,
      code: String(answer.status),
      retryable: throttled || answer.status >= 500,
      retryAfterMs: throttled ? waitMs(answer) : undefined,
      outcomeUnknown: answer.status >= 500 && method !== 'GET',
    },
  );
}

/** What was answered is not what this API answers: a proxy, a login page, another version. */
export function notUnderstood(
  speaker: Speaker,
  method: string,
  { why, cause }: { why: string; cause?: unknown },
): ExternalError {
  return new ExternalError(
    `${speaker.vendor} answered ${method} with something else than expected: ${oneLine(why)}`,
    {
      service: speaker.vendor,
      code: 'NOT_UNDERSTOOD',
      retryable: false,
      outcomeUnknown: method !== 'GET',
      cause,
    },
  );
}

/** No answer at all. */
export function unanswered(speaker: Speaker, method: string, thrown: unknown): ExternalError {
  const timedOut = (thrown as { name?: string }).name === 'TimeoutError';
  const code = timedOut ? 'TIMEOUT' : ((thrown as { code?: string }).code ?? 'UNKNOWN');
  const why = timedOut ? 'no answer in time' : oneLine(messageOf(thrown));
  return new ExternalError(`${speaker.vendor} did not answer ${method}: ${why}`, {
    service: speaker.vendor,
    code,
    retryable: code !== 'ADDRESS_REFUSED',
    outcomeUnknown: method !== 'GET' && !NOT_SENT.has(code),
    cause: thrown,
  });
}

/** The same failure, told with a cure or judged otherwise. */
export function retold(
  error: ExternalError,
  change: { message: string; retryable?: boolean; outcomeUnknown?: boolean },
): ExternalError {
  return new ExternalError(change.message, {
    service: error.service,
    code: error.code,
    retryable: change.retryable ?? error.retryable,
    retryAfterMs: error.retryAfterMs,
    outcomeUnknown: change.outcomeUnknown ?? error.outcomeUnknown,
    cause: error,
  });
}

function cureOf({ status }: VendorAnswer, throttled: boolean): string {
  if (throttled) return '';
  if (status === 401) return 'check the token in the config';
  if (status === 403) return 'the token may not do this';
  return status >= 300 && status < 400 ? 'redirects are not followed; check the url in the config' : '';
}

const isThrottled = ({ status, headers }: VendorAnswer) =>
  status === 429 ||
  (status === 403 && (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0'));

/** `Retry-After` in seconds or as a date, else `X-RateLimit-Reset` in seconds or milliseconds since 1970. */
function waitMs({ headers }: VendorAnswer): number {
  const after = headers['retry-after'];
  const reset = Number(headers['x-ratelimit-reset']);
  const resetMs = reset > 1e11 ? reset : reset * 1000;
  const seconds = Number(after);
  const afterMs = Number.isNaN(seconds) ? Date.parse(String(after)) - Date.now() : seconds * 1000;
  const wait = after === undefined ? resetMs - Date.now() : afterMs;
  return wait > 0 ? Math.min(wait, LONGEST_WAIT_MS) : WAIT_MS;
}

const text = z.string().min(1);
const said = z.union([
  z.looseObject({ message: text }).transform((body) => body.message),
  z.looseObject({ error: z.looseObject({ message: text }) }).transform((body) => body.error.message),
  z.looseObject({ error: text }).transform((body) => body.error),
  z.looseObject({ detail: z.looseObject({ error: text }) }).transform((body) => body.detail.error),
  z.looseObject({ detail: text }).transform((body) => body.detail),
]);

/** The vendor's own words, short, on one line and without secrets; "" where there are none. */
function messageIn(body: string, secrets: readonly string[]): string {
  let found: string;
  try {
    found = said.parse(JSON.parse(body));
  } catch {
    return '';
  }
  const hidden = secrets.reduce((line, secret) => line.replaceAll(secret, '…'), found);
  return oneLine(hidden).slice(0, LONGEST_MESSAGE);
}

const oneLine = (words: string) =>
  words
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 2 * LONGEST_MESSAGE);
