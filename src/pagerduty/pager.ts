import { z } from 'zod';
import { ExternalError } from '../errors.ts';
import type { PageReceipt, PageRequest, Pager } from '../flow/ports.ts';
import { findAdoptable, incident, type PagerDutyIncident, raiseUrgency, writeNote } from './adoption.ts';
import { type PagerDutyAccess, pagerDutyClient } from './client.ts';

const oneIncident = z.looseObject({ incident });
const manyIncidents = z.looseObject({ incidents: z.array(incident) });
const onCalls = z.looseObject({
  oncalls: z.array(
    z.looseObject({
      user: z.looseObject({
        summary: z.string().nullish(),
        name: z.string().nullish(),
        email: z.string().nullish(),
      }),
      escalation_level: z.number(),
      escalation_policy: z.looseObject({ id: z.string() }),
    }),
  ),
});

type Client = ReturnType<typeof pagerDutyClient>;

/** PagerDuty's words for "it is so already". */
const ALREADY = new Set(['1001', '1002']);
const LONGEST_SUMMARY = 1024;

/**
 * Pages over the REST API when there is a token and a service, which answers with the incident at once; over
 * Events v2 when there is only a routing key. The same key never opens two incidents.
 */
export function pagerDutyPager(access: PagerDutyAccess & { routingKey: string | undefined }): Pager {
  const client = pagerDutyClient(access);
  const viaRest = (request: PageRequest) => access.token !== undefined && request.serviceId !== null;

  return {
    async page(request) {
      if (!viaRest(request)) return pageOverEvents(client, access.routingKey, request);
      try {
        return await pageOverRest(client, request);
      } catch (thrown) {
        // A page fails open: what REST refuses for good goes out by the other way in.
        const isRefused = thrown instanceof ExternalError && !thrown.retryable;
        if (!isRefused || access.routingKey === undefined) throw thrown;
        return pageOverEvents(client, access.routingKey, request);
      }
    },
    async adopt(keys, request) {
      if (access.token === undefined) return { kind: 'cannot-look' };
      const found = await findAdoptable(client, keys);
      if (found === null) return { kind: 'none' };
      if (request.urgency === 'high' && found.urgency !== 'high') await raiseUrgency(client, found.id);
      const people = await notified(client, request.escalationPolicyId);
      const receipt = receiptOf(found.incident_key ?? request.key, found);
      return { kind: 'adopted', receipt: { ...receipt, notified: people, adopted: true } };
    },
    async note(receipt, text) {
      if (receipt.pagerdutyId !== null) await writeNote(client, receipt.pagerdutyId, text);
    },
    acknowledge: (receipt) =>
      setStatus(client, receipt, { routingKey: access.routingKey, to: 'acknowledged' }),
    resolve: (receipt) => setStatus(client, receipt, { routingKey: access.routingKey, to: 'resolved' }),
    onCall: (policyId) => onCallOf(client, policyId),
  };
}

async function pageOverRest(client: Client, request: PageRequest): Promise<PageReceipt> {
  if (request.raise?.pagerdutyId) return raise(client, request, request.raise.pagerdutyId);
  const receipt = await openOverRest(client, request);
  return { ...receipt, notified: await notified(client, request.escalationPolicyId) };
}

async function pageOverEvents(
  client: Client,
  routingKey: string | undefined,
  request: PageRequest,
): Promise<PageReceipt> {
  if (routingKey === undefined) throw notConfigured();
  await client.send(triggerEvent(routingKey, request));
  return { via: 'events', key: request.key, pagerdutyId: null, url: null, notified: [] };
}

async function openOverRest(client: Client, request: PageRequest): Promise<PageReceipt> {
  const body = {
    incident: {
      type: 'incident',
      title: request.title.slice(0, LONGEST_SUMMARY),
      service: { id: request.serviceId, type: 'service_reference' },
      urgency: request.urgency,
      incident_key: request.key,
      body: { type: 'incident_body', details: request.details },
      ...(request.escalationPolicyId === null
        ? {}
        : { escalation_policy: { id: request.escalationPolicyId, type: 'escalation_policy_reference' } }),
    },
  };
  try {
    const opened = oneIncident.parse(await client.rest({ method: 'post', path: '/incidents', body }));
    return receiptOf(request.key, opened.incident);
  } catch (thrown) {
    // An earlier, unanswered attempt may have opened it: PagerDuty then refuses the key with 400.
    const existing = await findOpen(client, request);
    if (existing === null) throw thrown;
    return receiptOf(request.key, existing);
  }
}

async function findOpen(client: Client, request: PageRequest): Promise<PagerDutyIncident | null> {
  if (request.key === '' || request.serviceId === null) return null;
  const found = manyIncidents.parse(
    await client.rest({
      method: 'get',
      path: '/incidents',
      query: {
        incident_key: request.key,
        'service_ids[]': [request.serviceId],
        'statuses[]': ['triggered', 'acknowledged'],
      },
    }),
  );
  return found.incidents[0] ?? null;
}

/** A low-urgency ticket does not escalate: it is raised to high urgency instead of opening a second incident. */
async function raise(client: Client, request: PageRequest, id: string): Promise<PageReceipt> {
  const adopted = request.raise?.adopted ? { adopted: request.raise.adopted } : {};
  const title = request.raise?.adopted ? {} : { title: request.title };
  const body = { incident: { type: 'incident_reference', urgency: request.urgency, ...title } };
  const raised = await client.rest({ method: 'put', path: `/incidents/${encodeURIComponent(id)}`, body });
  const receipt = receiptOf(request.key, oneIncident.parse(raised).incident);
  return { ...receipt, ...adopted, notified: await notified(client, request.escalationPolicyId) };
}

function receiptOf(key: string, found: PagerDutyIncident): PageReceipt {
  return { via: 'rest', key, pagerdutyId: found.id, url: found.html_url ?? null, notified: [] };
}

/** Who is on call is a courtesy on the receipt: the page itself has gone out already. */
async function notified(client: Client, policyId: string | null): Promise<string[]> {
  if (policyId === null) return [];
  try {
    const people = await onCallOf(client, policyId);
    return people.filter((person) => person.level === 1).map((person) => person.name);
  } catch (thrown) {
    if (thrown instanceof ExternalError) return [];
    throw thrown;
  }
}

/** The rows are filtered again: a filter that PagerDuty ignores returns everyone on call in the account. */
async function onCallOf(client: Client, policyId: string): ReturnType<Pager['onCall']> {
  const query = { 'escalation_policy_ids[]': [policyId], 'include[]': ['users'], limit: '100' };
  const { oncalls } = onCalls.parse(await client.rest({ method: 'get', path: '/oncalls', query }));
  return oncalls
    .filter((row) => row.escalation_policy.id === policyId)
    .map((row) => ({
      name: row.user.name ?? row.user.summary ?? 'unnamed',
      email: row.user.email ?? null,
      level: row.escalation_level,
    }))
    .sort((a, b) => a.level - b.level);
}

async function setStatus(
  client: Client,
  receipt: PageReceipt,
  wanted: { routingKey: string | undefined; to: 'acknowledged' | 'resolved' },
): Promise<void> {
  if (receipt.pagerdutyId === null) {
    if (wanted.routingKey === undefined) throw notConfigured();
    const event_action = wanted.to === 'resolved' ? 'resolve' : 'acknowledge';
    await client.send({ routing_key: wanted.routingKey, event_action, dedup_key: receipt.key });
    return;
  }
  const path = `/incidents/${encodeURIComponent(receipt.pagerdutyId)}`;
  const body = { incident: { type: 'incident_reference', status: wanted.to } };
  try {
    await client.rest({ method: 'put', path, body });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || !ALREADY.has(thrown.code ?? '')) throw thrown;
  }
}

function triggerEvent(routingKey: string, request: PageRequest) {
  return {
    routing_key: routingKey,
    event_action: 'trigger' as const,
    dedup_key: request.key,
    payload: {
      summary: request.title.slice(0, LONGEST_SUMMARY),
      source: 'llm-incident',
      severity: request.urgency === 'high' ? ('critical' as const) : ('warning' as const),
      custom_details: { details: request.details },
    },
    ...(request.link === null ? {} : { links: [{ href: request.link, text: 'Incident room' }] }),
    client: 'llm-incident',
  };
}

function notConfigured(): ExternalError {
  return new ExternalError('neither an API token with a service nor a routing key is configured', {
    service: 'PagerDuty',
    code: 'not-configured',
    retryable: false,
  });
}
