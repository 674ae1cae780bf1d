import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { parseJson, sendJson } from '../loopback-server.ts';

/** A change that took effect. */
export interface ControlEffect {
  key: string;
  action: ControlAction['action'];
  to: string | number | boolean | null;
  from: unknown;
  promptName: string | undefined;
  /** Whom or what it is about, for kinds that have one. */
  subject: string | undefined;
  planHash: string | undefined;
  at: number;
}

/** A request to /control; status 0 means that it was left without an answer. */
export interface ControlRequest {
  method: string;
  path: string;
  key: string | undefined;
  body: unknown;
  status: number;
  at: number;
}

/** 'drop' applies the change and loses the answer; 'ignore' says 200 and does nothing. */
export interface ControlFault {
  kind: 'hang' | '500' | 'drop' | 'ignore';
  /** Which requests; changes (POST) unless said otherwise. */
  method?: 'GET' | 'POST';
  times?: number;
}

const common = {
  service: z.string(),
  environment: z.string(),
  plan_hash: z.string().optional(),
  from: z.unknown().optional(),
};
const aboutOne = { ...common, subject: z.string().min(1) };
const controlBody = z.discriminatedUnion('action', [
  z.object({
    ...common,
    action: z.literal('prompt'),
    to: z.string().min(1),
    prompt_name: z.string().optional(),
  }),
  z.object({ ...common, action: z.literal('model'), to: z.string().min(1) }),
  z.object({ ...common, action: z.literal('disable'), to: z.literal(false) }),
  z.object({ ...common, action: z.literal('enable'), to: z.literal(true) }),
  z.object({
    ...common,
    action: z.literal('fallback'),
    to: z.enum(['none', 'cached', 'simple', 'notice', 'queue']),
  }),
  z.object({ ...common, action: z.literal('token-cap'), to: z.number().int().min(1).nullable() }),
  z.object({ ...common, action: z.literal('disclaimer'), to: z.string().min(1).nullable() }),
  z.object({ ...aboutOne, action: z.literal('limit'), to: z.number().int().min(0).nullable() }),
  z.object({ ...aboutOne, action: z.literal('split'), to: z.number().min(0).max(100) }),
  z.object({ ...aboutOne, action: z.literal('type'), to: z.boolean() }),
  z.object({ ...aboutOne, action: z.literal('blocked'), to: z.boolean() }),
]);

/** A change that somebody asks for, checked. */
export type ControlAction = z.infer<typeof controlBody>;

/** What the control endpoint changes and reads. */
export interface Controlled {
  service: string;
  environment: string;
  /** Makes the change; a text says why it cannot. */
  apply(action: ControlAction): string | undefined;
  readBack(): object;
}

/** The target side of the signed webhook: verifies, applies each key once, and can misbehave on demand. */
export interface Control {
  readonly effects: ControlEffect[];
  readonly requests: ControlRequest[];
  fault(fault: ControlFault): void;
  clearFaults(): void;
  handle(request: IncomingMessage, response: ServerResponse, raw: Buffer): void;
}

interface Answer {
  status: number;
  body: object;
}

const WINDOW_SECONDS = 300;

/** Opens the control endpoint of a service that shares `secret` with the bot. */
export function createControl(secret: string, controlled: Controlled): Control {
  const effects: ControlEffect[] = [];
  const requests: ControlRequest[] = [];
  const faults: { fault: ControlFault; left: number }[] = [];
  const change = createChanges(controlled, effects);
  return {
    effects,
    requests,
    fault: (fault) => {
      faults.push({ fault, left: fault.times ?? 1 });
    },
    clearFaults: () => {
      faults.length = 0;
    },
    handle: (request, response, raw) => {
      const { method = 'GET', url: path = '/' } = request;
      const key = request.headers['idempotency-key']?.toString();
      const entry: ControlRequest = { method, path, key, body: parseJson(raw), status: 0, at: Date.now() };
      requests.push(entry);
      const hit = faults.find(({ fault, left }) => left > 0 && (fault.method ?? 'POST') === method);
      if (hit) hit.left -= 1;
      const kind = hit?.fault.kind;
      if (kind === 'hang') return;
      const answer = (): Answer => {
        if (kind === '500') return { status: 500, body: { error: 'internal error' } };
        const signed = method === 'POST' ? raw.toString() : path;
        if (!isSigned(request, secret, signed)) return refused(401, 'signature is missing, wrong or old');
        if (method === 'GET') return readBack(controlled, path);
        return method === 'POST'
          ? change({ key, raw: signed, ignore: kind === 'ignore' })
          : refused(405, 'GET or POST');
      };
      const { status, body } = answer();
      if (kind === 'drop') return void request.socket.destroy();
      entry.status = status;
      sendJson(response, { status, body });
    },
  };
}

type Change = (asked: { key: string | undefined; raw: string; ignore: boolean }) => Answer;

// The same key gets the same answer and has no second effect, whatever became of the first answer.
function createChanges(controlled: Controlled, effects: ControlEffect[]): Change {
  const answered = new Map<string, { raw: string; answer: Answer }>();
  return ({ key, raw, ignore }) => {
    if (!key) return refused(400, 'Idempotency-Key is missing');
    const earlier = answered.get(key);
    if (earlier)
      return earlier.raw === raw ? earlier.answer : refused(422, 'the key was used for another change');
    const parsed = controlBody.safeParse(parseJson(raw));
    if (!parsed.success) return refused(422, z.prettifyError(parsed.error));
    const problem = ignore ? undefined : problemOf(controlled, parsed.data);
    if (problem) return refused(422, problem);
    if (!ignore) effects.push(effectOf(key, parsed.data));
    const answer = { status: 200, body: { ok: true } };
    answered.set(key, { raw, answer });
    return answer;
  };
}

function refused(status: number, error: string): Answer {
  return { status, body: { error } };
}

/** The headers that make a request to a signed webhook target acceptable. */
export function controlSignature(
  secret: string,
  signed: string,
  timestamp = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const digest = createHmac('sha256', secret).update(`${timestamp}.${signed}`).digest('hex');
  return { 'x-llm-incident-timestamp': String(timestamp), 'x-llm-incident-signature': `v1=${digest}` };
}

/** True when the request comes from whoever shares the secret, and now. */
export function isSigned(request: IncomingMessage, secret: string, signed: string): boolean {
  const timestamp = Number(request.headers['x-llm-incident-timestamp']);
  if (!Number.isInteger(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > WINDOW_SECONDS) return false;
  const expected = Buffer.from(controlSignature(secret, signed, timestamp)['x-llm-incident-signature'] ?? '');
  const given = Buffer.from(String(request.headers['x-llm-incident-signature']));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function readBack(controlled: Controlled, path: string): Answer {
  const service = new URL(path, 'http://target.invalid').searchParams.get('service');
  if (service !== controlled.service)
    return { status: 404, body: { error: `there is no service ${service}` } };
  return { status: 200, body: controlled.readBack() };
}

function problemOf(controlled: Controlled, action: ControlAction): string | undefined {
  if (action.service !== controlled.service) return `there is no service ${action.service}`;
  if (action.environment !== controlled.environment) return `this is ${controlled.environment}`;
  return controlled.apply(action);
}

function effectOf(key: string, action: ControlAction): ControlEffect {
  const promptName = action.action === 'prompt' ? action.prompt_name : undefined;
  return {
    key,
    action: action.action,
    to: action.to,
    from: action.from,
    promptName,
    subject: 'subject' in action ? action.subject : undefined,
    planHash: action.plan_hash,
    at: Date.now(),
  };
}
