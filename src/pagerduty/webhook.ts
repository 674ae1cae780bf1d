import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { PageEvent } from '../flow/page/page-event.ts';
import type { Log } from '../log.ts';

const BODY_LIMIT_BYTES = 512 * 1024;
const LONGEST_HEADER = 2048;

/**
 * Adds `POST /pagerduty/webhook` (V3). 401 when no signature fits; 503, which PagerDuty tries again for two days, when
 * no secret is configured or nothing can be written; whatever else it sends is answered 2xx, because it drops for good
 * what is refused and switches a subscription off that refuses often.
 */
export function addPagerDutyRoute(
  server: FastifyInstance,
  parts: { secrets: readonly string[]; log: Log; receive(event: PageEvent): Promise<void> },
): void {
  const { secrets, log, receive } = parts;
  server.post('/pagerduty/webhook', { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
    if (secrets.length === 0)
      return reply.code(503).send({ error: 'no secret is configured: set PAGERDUTY_WEBHOOK_SECRET' });
    const rawBody = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    const header = request.headers['x-pagerduty-signature'];
    if (!isSignedByPagerDuty(rawBody, { header, secrets })) return reply.code(401).send();
    const event = readEvent(rawBody);
    if (event === null) return reply.code(200).send();
    try {
      await receive(event);
    } catch (thrown) {
      log.error({ error: messageOf(thrown) }, 'an event of PagerDuty could not be written down');
      return reply.code(503).send();
    }
    return reply.code(202).send();
  });
}

/** Any of the signatures by any of the secrets, of which there are two while one is replaced. No timestamp is signed. */
export function isSignedByPagerDuty(
  rawBody: Uint8Array,
  { header, secrets }: { header: string | string[] | undefined; secrets: readonly string[] },
): boolean {
  if (typeof header !== 'string' || header.length > LONGEST_HEADER || rawBody.length === 0) return false;
  const given = header
    .split(',')
    .map((part) => /^v1=([0-9a-f]{64})$/.exec(part.trim())?.[1])
    .filter((hex) => hex !== undefined)
    .map((hex) => Buffer.from(hex, 'hex'));
  const wanted = secrets.map((secret) => createHmac('sha256', secret).update(rawBody).digest());
  return wanted.map((one) => given.filter((other) => timingSafeEqual(one, other)).length).some((n) => n > 0);
}

const reference = z.looseObject({
  id: z.string(),
  summary: z.string().nullish(),
  html_url: z.string().nullish(),
});
const envelope = z.looseObject({
  event: z.looseObject({
    id: z.string().min(1).max(200),
    event_type: z.string(),
    occurred_at: z.iso.datetime({ offset: true }),
    agent: reference.extend({ type: z.string().nullish() }).nullish(),
    data: z.looseObject({}),
  }),
});
const incidentData = z.looseObject({
  id: z.string(),
  status: z.string(),
  urgency: z.string().nullish(),
  incident_key: z.string().nullish(),
  html_url: z.string().nullish(),
  priority: reference.nullish(),
  assignees: z.array(reference).nullish(),
  resolve_reason: z.looseObject({ type: z.string(), incident: reference.nullish() }).nullish().catch(null),
});
const about = z.looseObject({ incident: z.looseObject({ id: z.string() }) });
const noteData = about.extend({ id: z.string(), content: z.string(), trimmed: z.boolean().nullish() });
const responderData = about.extend({ user: reference, state: z.string() });
const updateData = about.extend({ message: z.string() });

type Envelope = z.infer<typeof envelope>['event'];
type Told = Omit<PageEvent, 'id' | 'type' | 'at' | 'agent'>;

const NOTHING = { incident: null, note: null, responder: null, update: null };

/** Null for what the room has no use for, and for what cannot be read. */
export function readEvent(rawBody: Uint8Array): PageEvent | null {
  const parsed = envelope.safeParse(jsonOf(rawBody));
  if (!parsed.success) return null;
  const { event } = parsed.data;
  const told = toldBy(event);
  if (told === null) return null;
  const { id, event_type: type, occurred_at: at, agent } = event;
  const shown = agent
    ? {
        id: agent.id,
        name: agent.summary ?? agent.id,
        isPerson: /^user(_reference)?$/.test(agent.type ?? ''),
      }
    : null;
  return { id, type, at: new Date(at).toISOString(), agent: shown, ...told };
}

/** The events of an incident that say how it stands. */
const STANDINGS = new Set(
  [
    'triggered',
    'acknowledged',
    'unacknowledged',
    'resolved',
    'reopened',
    'escalated',
    'reassigned',
    'delegated',
    'priority_updated',
  ].map((what) => `incident.${what}`),
);

function toldBy({ event_type: type, data }: Envelope): Told | null {
  if (STANDINGS.has(type)) return standingIn(data);
  if (type === 'incident.annotated') {
    const note = noteData.safeParse(data).data;
    if (note === undefined) return null;
    const { id, content, trimmed } = note;
    return { ...NOTHING, pagerdutyId: note.incident.id, note: { id, content, trimmed: trimmed === true } };
  }
  if (type === 'incident.responder.replied') {
    const reply = responderData.safeParse(data).data;
    if (reply === undefined) return null;
    const responder = { name: reply.user.summary ?? reply.user.id, state: reply.state };
    return { ...NOTHING, pagerdutyId: reply.incident.id, responder };
  }
  if (type !== 'incident.status_update_published') return null;
  const update = updateData.safeParse(data).data;
  return update === undefined
    ? null
    : { ...NOTHING, pagerdutyId: update.incident.id, update: update.message };
}

function standingIn(data: unknown): Told | null {
  const found = incidentData.safeParse(data).data;
  if (found === undefined) return null;
  const reason = found.resolve_reason;
  const into = reason?.type === 'merge_resolve_reason' ? (reason.incident ?? null) : null;
  return {
    ...NOTHING,
    pagerdutyId: found.id,
    incident: {
      status: found.status,
      urgency: found.urgency ?? '',
      key: found.incident_key ?? null,
      url: found.html_url ?? null,
      priority: found.priority?.summary ?? null,
      assignees: (found.assignees ?? []).map((one) => one.summary ?? one.id),
      mergedInto: into === null ? null : { id: into.id, url: into.html_url ?? null },
    },
  };
}

function jsonOf(rawBody: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(rawBody).toString('utf8'));
  } catch {
    return undefined;
  }
}
