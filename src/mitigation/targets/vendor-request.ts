import { Agent, request } from 'undici';
import type { z } from 'zod';
import { ExternalError, messageOf } from '../../errors.ts';
import { LONGEST_REQUEST_MS } from '../target.ts';
import { guardedLookup, refuseForbiddenHost } from './address-guard.ts';
import { notUnderstood, refusedBy, unanswered, type VendorAnswer } from './vendor-errors.ts';

const LARGEST_ANSWER_BYTES = 2 * 1024 * 1024;

/** How a vendor's API is reached. */
export interface Connection {
  /** For people, e.g. "Unleash". */
  vendor: string;
  /** Its path, if any, stands before every path that is asked. */
  url: string;
  headers: Readonly<Record<string, string>>;
  allowPrivate: boolean;
  /** Never to be seen in a message. */
  secrets: readonly string[];
  /** For one operation with all its requests. */
  timeoutMs?: number;
}

export interface Sent {
  method: 'POST' | 'PUT' | 'PATCH';
  path: string;
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  contentType?: string;
}

/**
 * The requests of one operation. They share one deadline, LONGEST_REQUEST_MS from its start, so that nothing of it can
 * land later; a GET is asked once. Throws ExternalError for whatever is not a 2xx answer of the wanted shape.
 */
export interface Operation {
  get<Found>(path: string, shape: z.ZodType<Found>, query?: Readonly<Record<string, string>>): Promise<Found>;
  /** Without a shape the body of the answer does not matter; an HTML page is no answer all the same. */
  send(sent: Sent): Promise<VendorAnswer>;
  sendFor<Found>(sent: Sent, shape: z.ZodType<Found>): Promise<Found>;
}

interface Raw {
  method: 'GET' | Sent['method'];
  url: URL;
  body?: unknown;
  contentType?: string;
}

/** Starts operations; redirects are not followed, and the address that is dialled is the one that was checked. */
export function vendorOperations(connection: Connection): () => Operation {
  const agent = new Agent({ connect: { lookup: guardedLookup(connection.allowPrivate), timeout: 5_000 } });
  return () => {
    const signal = AbortSignal.timeout(connection.timeoutMs ?? LONGEST_REQUEST_MS);
    const asked = new Map<string, Promise<VendorAnswer>>();
    const run = (raw: Raw) => answerTo(connection, raw, { agent, signal });
    const once = (url: URL): Promise<VendorAnswer> => {
      const known = asked.get(url.href) ?? run({ method: 'GET', url });
      asked.set(url.href, known);
      return known;
    };
    const send = (sent: Sent) => run({ ...sent, url: urlOf(connection, sent) });
    return {
      async get(path, shape, query) {
        const answer = await once(urlOf(connection, query === undefined ? { path } : { path, query }));
        return parsed(connection, answer, { shape, method: 'GET' });
      },
      send,
      async sendFor(sent, shape) {
        return parsed(connection, await send(sent), { shape, method: sent.method });
      },
    };
  };
}

/** Undefined where the vendor does not know of it. */
export async function unless404<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === '404') return undefined;
    throw thrown;
  }
}

function urlOf(connection: Connection, asked: Pick<Sent, 'path' | 'query'>): URL {
  const url = new URL(connection.url);
  url.pathname = url.pathname.replace(/\/+$/, '') + asked.path;
  for (const [key, value] of Object.entries(asked.query ?? {})) url.searchParams.set(key, value);
  return url;
}

async function answerTo(
  connection: Connection,
  raw: Raw,
  via: { agent: Agent; signal: AbortSignal },
): Promise<VendorAnswer> {
  const answer = await exchange(connection, raw, via);
  if (answer.status < 200 || answer.status > 299) throw refusedBy(connection, raw.method, answer);
  if (/html/i.test(String(answer.headers['content-type'] ?? ''))) {
    throw notUnderstood(connection, raw.method, { why: 'it is an HTML page' });
  }
  return answer;
}

async function exchange(
  connection: Connection,
  { method, url, body, contentType }: Raw,
  via: { agent: Agent; signal: AbortSignal },
): Promise<VendorAnswer> {
  try {
    refuseForbiddenHost(url, connection.allowPrivate);
    const answer = await request(url, {
      method,
      dispatcher: via.agent,
      headers: {
        accept: 'application/json',
        'user-agent': 'llm-incident',
        ...connection.headers,
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: via.signal,
    });
    return { status: answer.statusCode, headers: answer.headers, text: await limitedText(answer.body) };
  } catch (thrown) {
    throw unanswered(connection, method, thrown);
  }
}

function parsed<Found>(
  connection: Connection,
  answer: VendorAnswer,
  wanted: { shape: z.ZodType<Found>; method: Raw['method'] },
): Found {
  try {
    return wanted.shape.parse(JSON.parse(answer.text));
  } catch (thrown) {
    throw notUnderstood(connection, wanted.method, { why: messageOf(thrown), cause: thrown });
  }
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
