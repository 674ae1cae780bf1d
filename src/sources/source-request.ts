import { type Dispatcher, request } from 'undici';
import { ExternalError, messageOf } from '../errors.ts';

const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;

export interface SourceRequest {
  /** Name of the source, for people. */
  source: string;
  url: URL | string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  /** Ends it sooner. */
  signal?: AbortSignal | undefined;
  /** Dials for it, such as one that guards addresses. */
  dispatcher?: Dispatcher | undefined;
}

export interface SourceAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

/**
 * One request over HTTP, body included, within `timeoutMs`; redirects are not followed. Any status is an answer; throws
 * ExternalError where there is none.
 */
export async function askSource(asked: SourceRequest): Promise<SourceAnswer> {
  try {
    const answer = await request(asked.url, {
      method: asked.method ?? 'GET',
      headers: asked.headers ?? {},
      body: asked.body ?? null,
      signal: signalOf(asked),
      ...(asked.dispatcher === undefined ? {} : { dispatcher: asked.dispatcher }),
    });
    const text = await limitedText(answer.body);
    return { status: answer.statusCode, headers: answer.headers, text };
  } catch (thrown) {
    throw unreachable(asked, thrown);
  }
}

function signalOf({ timeoutMs, signal }: SourceRequest): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

/** A status that is no answer. 429 and 5xx may pass; `retryAfterMs` is what the source said, in seconds or as a date. */
export function refusedBy(source: string, answer: SourceAnswer): ExternalError {
  const passing = answer.status === 429 || answer.status >= 500;
  const cure = answer.status === 401 || answer.status === 403 ? ': check its credentials in the config' : '';
  return new ExternalError(`${source} answered ${answer.status}${cure}`, {
    service: source,
    code: String(answer.status),
    retryable: passing,
    retryAfterMs: retryAfterMs(answer),
  });
}

/** What was answered is not what this kind of source answers. */
export function notUnderstood(source: string, thrown: unknown): ExternalError {
  return new ExternalError(`${source} answered something else than expected: ${messageOf(thrown)}`, {
    service: source,
    code: 'not-understood',
    retryable: true,
    cause: thrown,
  });
}

function retryAfterMs({ headers }: SourceAnswer): number | undefined {
  const said = headers['retry-after'];
  if (typeof said !== 'string') return undefined;
  const seconds = Number(said);
  const waitMs = Number.isNaN(seconds) ? Date.parse(said) - Date.now() : seconds * 1000;
  return waitMs > 0 ? waitMs : undefined;
}

function unreachable(asked: SourceRequest, thrown: unknown): ExternalError {
  const isTimeout = (thrown as { name?: string }).name === 'TimeoutError';
  const why = isTimeout ? `no answer within ${asked.timeoutMs / 1000} s` : messageOf(thrown);
  return new ExternalError(`${asked.source} is unreachable: ${why}`, {
    service: asked.source,
    code: isTimeout ? 'timeout' : ((thrown as { code?: string }).code ?? 'unreachable'),
    retryable: true,
    cause: thrown,
  });
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > LARGEST_ANSWER_BYTES) throw new Error(`answer is larger than ${LARGEST_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
