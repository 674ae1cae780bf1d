import { request } from 'undici';
import { ExternalError, messageOf } from '../errors.ts';
import type { FetchedFile } from '../flow/ports.ts';

const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 3;
const WAIT_MS = 5_000;
/** Where Slack keeps what is shared; nobody else is shown the token. */
const SLACK_HOST = /(?:^|\.)(?:slack\.com|slack-files\.com|slack-gov\.com)$/;

interface Access {
  readonly token?: string | undefined;
  readonly slackApiUrl: string;
}

interface Asked {
  readonly url: string;
  readonly largestBytes: number;
}

const refused = (why: string): FetchedFile => ({ kind: 'refused', why });

/**
 * The bytes of a shared file. Policy: the token goes to Slack's own hosts alone, and no redirect is followed to another.
 * Throws ExternalError when Slack throttles, is in trouble or does not answer.
 */
export async function fetchFile(access: Access, { url, largestBytes }: Asked): Promise<FetchedFile> {
  const first = URL.canParse(url) ? new URL(url) : undefined;
  if (first === undefined || !isSlacks(first, access)) return refused('its address is none of Slack');
  let at = first;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const step = await oneRequest(access, at, largestBytes);
    if ('kind' in step) return step;
    if (!URL.canParse(step.location, at.href)) break;
    at = new URL(step.location, at);
    if (at.origin !== first.origin) return refused('Slack sends to another address for it');
  }
  return refused('Slack sends in circles for it');
}

function isSlacks(url: URL, { slackApiUrl }: Access): boolean {
  const isSecure = url.protocol === 'https:' && url.port === '' && SLACK_HOST.test(url.hostname);
  return isSecure || url.origin === new URL(slackApiUrl).origin;
}

async function oneRequest(
  { token = '' }: Access,
  url: URL,
  largestBytes: number,
): Promise<FetchedFile | { location: string }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { statusCode, headers, body } = await request(url, {
      headers: { authorization: `Bearer ${token}`, 'user-agent': 'llm-incident' },
      signal,
    });
    if (statusCode === 200) return await limited(body, largestBytes);
    await body.dump();
    const location = statusCode >= 300 && statusCode < 400 ? headers['location'] : undefined;
    if (typeof location === 'string') return { location };
    return answerOf(statusCode, headers['retry-after']);
  } catch (thrown) {
    if (thrown instanceof ExternalError) throw thrown;
    throw new ExternalError(`a file could not be fetched: ${messageOf(thrown)}`, {
      service: 'Slack',
      retryable: true,
      cause: thrown,
    });
  }
}

/** 429 and 5xx pass; whatever else is no file is final. */
function answerOf(status: number, retryAfter: string | string[] | undefined): FetchedFile {
  if (status === 404 || status === 410) return refused('it was deleted');
  if (status !== 429 && status < 500) return refused(`Slack answered ${status}`);
  const waitMs = Number(retryAfter) > 0 ? Number(retryAfter) * 1000 : WAIT_MS;
  throw new ExternalError(`a file could not be fetched: Slack answered ${status}`, {
    service: 'Slack',
    code: String(status),
    retryable: true,
    ...(status === 429 ? { retryAfterMs: waitMs } : {}),
  });
}

async function limited(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  largestBytes: number,
): Promise<FetchedFile> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    // Leaving the loop ends the request.
    if (bytes > largestBytes) return { kind: 'too-large' };
    parts.push(part);
  }
  return { kind: 'fetched', bytes: Buffer.concat(parts) };
}
