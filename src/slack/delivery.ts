import { createHash } from 'node:crypto';
import { parse as parseForm } from 'node:querystring';
import { z } from 'zod';

type Body = Record<string, unknown>;

/** One thing that Slack delivered. The same thing delivered again has the same key, a second click another one. */
export interface SlackDelivery {
  kind: 'command' | 'action' | 'view' | 'shortcut' | 'event';
  key: string;
  body: Body;
}

export type ParsedRequest =
  | { kind: 'delivery'; delivery: SlackDelivery }
  | { kind: 'challenge'; challenge: string }
  | { kind: 'ssl-check' }
  | { kind: 'malformed'; problem: string };

/** Reads a request body of either content type; never throws. */
export function parseRequest(rawBody: Buffer, contentType: string): ParsedRequest {
  const text = rawBody.toString('utf8');
  if (contentType.includes('application/json')) return parseBody(parseJson(text));
  const form = Object.fromEntries(
    Object.entries(parseForm(text)).map(([key, value]) => [key, storable(key, value)]),
  );
  if (form['ssl_check'] === '1') return { kind: 'ssl-check' };
  const { payload } = form;
  return parseBody(typeof payload === 'string' ? parseJson(payload) : form);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, storable);
  } catch {
    return undefined;
  }
}

/** Postgres stores neither NUL nor half a surrogate pair, and a message with one must not be lost for it. */
export function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value;
}

const challenge = z.object({ type: z.literal('url_verification'), challenge: z.string() });

function parseBody(value: unknown): ParsedRequest {
  const asChallenge = challenge.safeParse(value);
  if (asChallenge.success) return { kind: 'challenge', challenge: asChallenge.data.challenge };
  const delivery = deliveryOf(value);
  if (delivery === null)
    return { kind: 'malformed', problem: 'not a command, interaction or event of Slack' };
  return { kind: 'delivery', delivery };
}

/** The delivery and its key, for HTTP and Socket Mode alike; null when it is none of the known kinds. */
export function deliveryOf(value: unknown): SlackDelivery | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const body = value as Body;
  if (typeof body['command'] === 'string') return { kind: 'command', key: commandKey(body), body };
  switch (body['type']) {
    case 'event_callback':
      return { kind: 'event', key: eventKey(body), body };
    case 'block_actions':
      return { kind: 'action', key: actionKey(body), body };
    case 'view_submission':
    case 'view_closed':
      return { kind: 'view', key: viewKey(body), body };
    case 'shortcut':
    case 'message_action':
      return {
        kind: 'shortcut',
        key: keyOf('shortcut', [at(body, 'team.id'), at(body, 'trigger_id')]),
        body,
      };
    default:
      return null;
  }
}

function commandKey(body: Body): string {
  const fields = ['team_id', 'channel_id', 'user_id', 'command', 'text', 'trigger_id'];
  return keyOf(
    'command',
    fields.map((field) => at(body, field)),
  );
}

/** message + action + user + action_ts. */
function actionKey(body: Body): string {
  const place = at(body, 'container.message_ts') ?? at(body, 'message.ts') ?? at(body, 'view.id');
  const actions = Array.isArray(body['actions']) ? (body['actions'] as Body[]) : [];
  const clicks = actions.flatMap((action) => [action['action_id'], action['value'], action['action_ts']]);
  return keyOf('action', [
    at(body, 'team.id'),
    at(body, 'channel.id'),
    place,
    at(body, 'user.id'),
    ...clicks,
  ]);
}

/** A form that was refused may be sent again with other values from the same view. */
function viewKey(body: Body): string {
  const values = JSON.stringify(at(body, 'view.state.values') ?? null);
  return keyOf('view', [
    body['type'],
    at(body, 'view.id'),
    at(body, 'user.id'),
    at(body, 'trigger_id'),
    values,
  ]);
}

/** team + channel + ts + type + event_ts: redelivery may come with a new event_id; edits and reactions differ. */
function eventKey(body: Body): string {
  const place = at(body, 'event.channel') ?? at(body, 'event.item.channel') ?? at(body, 'event.user');
  const ts = at(body, 'event.ts') ?? at(body, 'event.item.ts');
  const when = at(body, 'event.event_ts') ?? at(body, 'event_id');
  const kind = [at(body, 'event.type'), at(body, 'event.subtype'), at(body, 'event.reaction')];
  return keyOf('event', [at(body, 'team_id'), place, ts, ...kind, at(body, 'event.user'), when]);
}

function keyOf(kind: string, parts: unknown[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest('hex');
  return `slack:${kind}:${digest}`;
}

function at(body: Body, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? (value as Body)[key] : undefined),
      body,
    );
}
