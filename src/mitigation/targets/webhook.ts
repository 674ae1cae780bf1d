import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { WebhookTargetConfig } from '../../config/config-file.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Step } from '../plan.ts';
import { kindOf, subjectOf, type TargetState, type Value } from '../serving.ts';
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
  fallback: z.string().nullish(),
  disclaimer: z.string().nullish(),
  token_cap: z.number().nullish(),
  limits: z.record(z.string(), z.number().nullable()).nullish(),
  split: z.record(z.string(), z.number()).nullish(),
  types: z.record(z.string(), z.boolean()).nullish(),
  blocked: z.union([z.array(z.string()), z.record(z.string(), z.boolean())]).nullish(),
});
type ReadBack = z.infer<typeof readBack>;

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
        headers: signedHeaders(config.secret, details),
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
    // What the service cannot do it refuses with a 4xx, which says that nothing was changed.
    can: () => true,
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
    // Without its query, which may hold a key.
    byHand: () => `the switch of the service itself, which answers at ${url.origin}${url.pathname}`,
  };
}

function wireForm(step: Step, about: { service: string; environment: string; planHash: string }): object {
  return {
    service: about.service,
    environment: about.environment,
    ...actionOf(step),
    from: step.from,
    to: step.to,
    plan_hash: about.planHash,
  };
}

/** `enabled` has an action for each way, a prompt is named by `prompt_name`; any other kind is its own action. */
function actionOf({ setting, to }: Step): object {
  const kind = kindOf(setting);
  const subject = subjectOf(setting);
  if (kind === 'enabled') return { action: to === true ? 'enable' : 'disable' };
  if (subject === null) return { action: kind };
  return kind === 'prompt' ? { action: kind, prompt_name: subject } : { action: kind, subject };
}

/** The headers that let the other side trust what is sent; `body` missing: a GET. */
export function signedHeaders(
  secret: string,
  sent: { url: URL; body?: string; key?: string },
): Record<string, string> {
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

function parseState(text: string): TargetState {
  try {
    return stateOf(readBack.parse(JSON.parse(text)));
  } catch (thrown) {
    throw new ExternalError(`read-back is not {"prompt", "model", "enabled"}: ${messageOf(thrown)}`, {
      service: SERVICE,
      retryable: false,
      cause: thrown,
    });
  }
}

function stateOf(said: ReadBack): TargetState {
  const blocked = Array.isArray(said.blocked)
    ? Object.fromEntries(said.blocked.map((phrase) => [phrase, true]))
    : said.blocked;
  const { model, enabled, fallback, disclaimer, token_cap: tokenCap } = said;
  return {
    ...promptsOf(said.prompt),
    ...known({ model, enabled, fallback, disclaimer, 'token-cap': tokenCap }),
    ...each('limit', said.limits),
    ...each('split', said.split),
    ...each('type', said.types),
    ...each('blocked', blocked),
  };
}

function known(values: Record<string, Value | undefined>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, Value] => entry[1] !== null && entry[1] !== undefined,
    ),
  );
}

function each(kind: string, values: Record<string, Value> | null | undefined): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([subject, value]) => [`${kind}:${subject}`, value]),
  );
}

/** Accepts a version, "name=version", {name, version} or {name: version, …}. */
function promptsOf(prompt: ReadBack['prompt']): Record<string, string> {
  if (prompt === null || prompt === undefined) return {};
  if (typeof prompt === 'string') {
    const named = /^([^=@]+)[=@](.+)$/.exec(prompt);
    return named === null ? { prompt } : { [`prompt:${named[1]}`]: named[2] as string };
  }
  if (typeof prompt.version === 'string')
    return { [typeof prompt.name === 'string' ? `prompt:${prompt.name}` : 'prompt']: prompt.version };
  return Object.fromEntries(
    Object.entries(prompt as Record<string, string>).map(([name, version]) => [
      name === '' ? 'prompt' : `prompt:${name}`,
      version,
    ]),
  );
}

function refused(what: string, answer: { status: number; headers: Record<string, unknown> }): ExternalError {
  const seconds = Number(answer.headers['retry-after']);
  const throttled = answer.status === 429;
  const cure = answer.status === 401 ? ': check the secret, and the clocks of both machines' : '';
  return new ExternalError(`${what} answered ${answer.status}${cure}`, {
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
