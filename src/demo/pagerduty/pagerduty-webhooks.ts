import { createHmac, randomUUID } from 'node:crypto';
import type { AccountChange } from './pagerduty-state.ts';

/** One V3 webhook and how it was taken. */
export interface WebhookDelivery {
  eventType: string;
  body: string;
  headers: Record<string, string>;
  /** Undefined while under way, 0 when nobody answered. */
  status: number | undefined;
}

/** A subscription of the bot to the account's changes. */
export interface WebhookSender {
  readonly deliveries: WebhookDelivery[];
  /** Several secrets sign side by side, as while one is replaced. */
  connect(url: string, ...secrets: string[]): void;
  send(change: AccountChange): void;
  replay(delivery?: WebhookDelivery): Promise<number>;
  /** Resolves when every webhook so far was answered. */
  idle(): Promise<void>;
}

const TIMEOUT_MS = 5_000;

/** Starts without a subscriber; nothing is sent before `connect`. */
export function createWebhookSender(): WebhookSender {
  const deliveries: WebhookDelivery[] = [];
  const underWay = new Set<Promise<number>>();
  let subscriber: { url: string; secrets: string[] } | undefined;

  const transmit = async (delivery: WebhookDelivery): Promise<number> => {
    if (!subscriber) return 0;
    const { headers, body } = delivery;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(subscriber.url, { method: 'POST', headers, body, signal }).catch(
      () => undefined,
    );
    await response?.arrayBuffer();
    delivery.status = response?.status ?? 0;
    return delivery.status;
  };
  const start = (delivery: WebhookDelivery): Promise<number> => {
    const work = transmit(delivery).finally(() => underWay.delete(work));
    underWay.add(work);
    return work;
  };
  return {
    deliveries,
    connect: (url, ...secrets) => {
      subscriber = { url, secrets };
    },
    send: (change) => {
      if (!subscriber) return;
      const body = JSON.stringify({ event: eventOf(change) });
      const delivery = {
        eventType: change.type,
        body,
        headers: signWebhook(body, ...subscriber.secrets),
        status: undefined,
      };
      deliveries.push(delivery);
      void start(delivery);
    },
    replay: (delivery = deliveries.at(-1)) => {
      if (!delivery) throw new Error('no webhook was sent yet that could be replayed');
      return start(delivery);
    },
    idle: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/** The headers of a webhook with this body. */
export function signWebhook(body: string, ...secrets: string[]): Record<string, string> {
  const digests = secrets.map((secret) => createHmac('sha256', secret).update(body).digest('hex'));
  return {
    'content-type': 'application/json',
    'user-agent': 'PagerDuty-Webhook/V3.0',
    'x-webhook-id': randomUUID(),
    'x-pagerduty-signature': digests.map((digest) => `v1=${digest}`).join(','),
  };
}

// Not the REST shape: `number` and `assignees` here, `incident_number` and `assignments` there.
function eventOf(change: AccountChange): object {
  const { incident } = change;
  return {
    id: randomUUID().replaceAll('-', '').slice(0, 26).toUpperCase(),
    event_type: change.type,
    resource_type: 'incident',
    occurred_at: new Date().toISOString(),
    agent: change.agent,
    client: null,
    data: wordsIn(change) ?? {
      id: incident.id,
      type: 'incident',
      self: incident.self,
      html_url: incident.html_url,
      number: incident.incident_number,
      status: incident.status,
      incident_key: incident.incident_key,
      created_at: incident.created_at,
      title: incident.title,
      service: incident.service,
      assignees: incident.assignments.map(({ assignee }) => assignee),
      escalation_policy: incident.escalation_policy,
      teams: [],
      priority: incident.priority,
      urgency: incident.urgency,
      conference_bridge: null,
      resolve_reason: incident.resolve_reason,
    },
  };
}

function wordsIn({ incident, note, responder }: AccountChange): object | undefined {
  const about = { incident: { id: incident.id, type: 'incident_reference' } };
  if (responder) return { ...about, type: 'incident_responder', ...responder, escalation_policy: null };
  if (!note) return undefined;
  return { ...about, id: note.id, type: 'incident_note', content: note.content, trimmed: false };
}
