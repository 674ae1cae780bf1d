import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Account } from './pagerduty-account.ts';

const MAX_BYTES = 512 * 1024;

const link = z.strictObject({ href: z.string().min(1), text: z.string().optional() });
const image = z.strictObject({
  src: z.string().min(1),
  href: z.string().optional(),
  alt: z.string().optional(),
});
const common = {
  routing_key: z.string().length(32, 'must be 32 characters'),
  client: z.string().optional(),
  client_url: z.string().optional(),
  links: z.array(link).optional(),
  images: z.array(image).optional(),
};
const payload = z.strictObject({
  summary: z.string().min(1).max(1024),
  source: z.string().min(1),
  severity: z.enum(['critical', 'error', 'warning', 'info']),
  timestamp: z.string().optional(),
  component: z.string().optional(),
  group: z.string().optional(),
  class: z.string().optional(),
  custom_details: z.unknown().optional(),
});
const dedupKey = z.string().min(1).max(255);
const eventBody = z.discriminatedUnion('event_action', [
  z.strictObject({ ...common, event_action: z.literal('trigger'), dedup_key: dedupKey.optional(), payload }),
  z.strictObject({
    ...common,
    event_action: z.literal('acknowledge'),
    dedup_key: dedupKey,
    payload: payload.optional(),
  }),
  z.strictObject({
    ...common,
    event_action: z.literal('resolve'),
    dedup_key: dedupKey,
    payload: payload.optional(),
  }),
]);

/** An event that was accepted. */
export type PagerDutyEvent = z.infer<typeof eventBody> & { dedup_key: string };

/** The answer of /v2/enqueue; an accepted event comes along so that it can be kept. */
export interface EnqueueAnswer {
  status: number;
  body: { status: string; message: string; errors?: string[]; dedup_key?: string };
  event?: PagerDutyEvent;
}

/** Events API v2: checks, deduplicates by key and routing key, and opens or moves an incident. */
export function enqueue(account: Account, raw: Buffer): EnqueueAnswer {
  if (raw.length > MAX_BYTES)
    return { status: 413, body: { status: 'invalid event', message: 'Payload too large' } };
  const parsed = eventBody.safeParse(jsonOf(raw));
  if (!parsed.success) {
    return invalid(parsed.error.issues.map((issue) => `'${issue.path.join('.')}' ${issue.message}`));
  }
  const service = account.services.find((one) => one.routingKey === parsed.data.routing_key);
  if (!service) return invalid(['Invalid routing key']);
  const event = { ...parsed.data, dedup_key: parsed.data.dedup_key ?? randomUUID().replaceAll('-', '') };
  if (!service.disabled) account.takeEvent(service, event);
  return {
    status: 202,
    body: { status: 'success', message: 'Event processed', dedup_key: event.dedup_key },
    event,
  };
}

function invalid(errors: string[]): EnqueueAnswer {
  return { status: 400, body: { status: 'invalid event', message: 'Event object is invalid', errors } };
}

function jsonOf(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString());
  } catch {
    return undefined;
  }
}
