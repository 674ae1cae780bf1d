import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { WebhookTargetConfig } from '../../config/config-file.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Step, TargetState } from '../plan.ts';
import { LONGEST_REQUEST_MS, type Target } from '../target.ts';
import { guardedLookup, refuseForbiddenHost } from './address-guard.ts';

const SERVICE = 'webhook target';
const LARGEST_ANSWER_BYTES = 64 * 1024;
/** Failures before anything was sent: the change cannot have been made. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ADDRESS_REFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const prompts = z.union([
  z.string(),
  z.looseObject({ version: z.string(), name: z.string().optional() }),
  z.record(z.string(), z.string()),
]);
const readBack = z.looseObject({
  prompt: prompts.nullish(),
  model: z.string().nullish(),
  enabled: z.boolean().nullish(),
});

/** The signed webhook of the README: POST makes a change, GET says what is served. */
export function webhookTarget(
  config: WebhookTargetConfig,
  serves: { service: string; environment: string },
): Target {
  const url = new URL(config.url);
  const agent = new Agent({ connect: { lookup: guardedLookup(config.allow_private), timeout: 5_000 } });

  const send = async (method: 'GET' | 'POST', details: { url: URL; body?: string; key?: string }) => {
    try {
      refuseForbiddenHost(details.url, config.allow_private);
      const answer = await request(details.url, {
        method,
        dispatcher: agent,
        headers: headersFor(config.secret, details),
        body: details.body ?? null,
        signal: AbortSignal.timeout(LONGEST_REQUEST_MS),
      });
      return { status: answer.statusCode, headers: answer.headers, text: await limitedText(answer.body) };
    } catch (thrown) {
      throw asExternal(thrown, method);
    }
  };

  return {
    describe: () => `webhook ${url.host}`,
    async read() {
      const address = new URL(url);
      address.searchParams.set('service', serves.service);
      const answer = await send('GET', { url: address });
      if (answer.status !== 200) throw refused('read-back', answer);
      return parseState(answer.text);
    },
    async apply(step, { planHash, idempotencyKey }) {
      const body = JSON.stringify(wireForm(step, { ...serves, planHash }));
      const answer = await send('POST', { url, body, key: idempotencyKey });
      if (answer.status < 200 || answer.status > 299) throw refused('change', answer);
    },
  };
}

function wireForm(step: Step, about: { service: string; environment: string; planHash: string }): object {
  return {
    service: about.service,
    environment: about.environment,
    action: step.action,
    ...(step.promptName === null ? {} : { prompt_name: step.promptName }),
    from: step.from,
    to: step.to,
    plan_hash: about.planHash,
  };
}

function headersFor(secret: string, sent: { url: URL; body?: string; key?: string }): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signed = sent.body ?? `${sent.url.pathname}${sent.url.search}`;
  const signature = createHmac('sha256', secret).update(`${timestamp}.${signed}`).digest('hex');
  return {
    accept: 'application/json',
    'x-llm-incident-timestamp': timestamp,
    'x-llm-incident-signature': `v1=${signature}`,
    ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(sent.key === undefined ? {} : { 'idempotency-key': sent.key }),
  };
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

/** Accepts a version, "name=version", {name, version} or {name: version, …} for `prompt`. */
function parseState(text: string): TargetState {
  let parsed: z.infer<typeof readBack>;
  try {
    parsed = readBack.parse(JSON.parse(text));
  } catch (thrown) {
    throw new ExternalError(`read-back is not {"prompt", "model", "enabled"}: ${messageOf(thrown)}`, {
      service: SERVICE,
      retryable: false,
      cause: thrown,
    });
  }
  return { prompts: promptsOf(parsed.prompt), model: parsed.model ?? null, enabled: parsed.enabled ?? null };
}

function promptsOf(prompt: z.infer<typeof prompts> | null | undefined): Record<string, string> {
  if (prompt === null || prompt === undefined) return {};
  if (typeof prompt === 'string') {
    const named = /^([^=@]+)[=@](.+)$/.exec(prompt);
    return named === null ? { '': prompt } : { [named[1] as string]: named[2] as string };
  }
  if (typeof prompt.version === 'string')
    return { [typeof prompt.name === 'string' ? prompt.name : '']: prompt.version };
  return prompt as Record<string, string>;
}

function refused(what: string, answer: { status: number; headers: Record<string, unknown> }): ExternalError {
  const seconds = Number(answer.headers['retry-after']);
  const throttled = answer.status === 429;
  return new ExternalError(`${what} answered ${answer.status}`, {
    service: SERVICE,
    code: String(answer.status),
    retryable: throttled || answer.status >= 500,
    retryAfterMs: throttled ? (seconds > 0 ? seconds * 1000 : 5_000) : undefined,
    outcomeUnknown: answer.status >= 500,
  });
}

function asExternal(thrown: unknown, method: string): ExternalError {
  if (thrown instanceof ExternalError) return thrown;
  const code = (thrown as { code?: string }).code ?? 'UNKNOWN';
  return new ExternalError(`${method} failed: ${messageOf(thrown)}`, {
    service: SERVICE,
    code,
    retryable: code !== 'ADDRESS_REFUSED',
    outcomeUnknown: method === 'POST' && !NOT_SENT.has(code),
    cause: thrown,
  });
}
