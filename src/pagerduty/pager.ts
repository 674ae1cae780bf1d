import { ExternalError } from '../errors.ts';
import type { PageReceipt, PageRequest, Pager, PagerUser } from '../flow/page/pager-port.ts';
import { findAdoptable, raiseUrgency, writeNote } from './adoption.ts';
import { type Client, type PagerDutyAccess, pagerDutyClient } from './client.ts';
import { findUser, findUserByEmail, onCallOf } from './directory.ts';
import { keysOf, noteText, notificationsOf } from './history.ts';
import { lookAt } from './look.ts';
import { cutTitle, notConfigured, openOverRest, pathOf, prioritise, raise, receiptOf } from './opening.ts';
import { pagePeople, reassign } from './responders.ts';

export interface Access extends PagerDutyAccess {
  routingKey: string | undefined;
}

/** PagerDuty's words for "it is so already". */
const ALREADY = new Set(['1001', '1002']);
const NEITHER = 'neither an API token with a service nor a routing key is configured';

/** One pager for the default access, which knows those of the services that have their own. */
export function pagerDutyPager(access: Access, ofServices: Readonly<Record<string, Access>> = {}): Pager {
  const own = new Map<string, Pager>();
  const of = (service: string | null): Pager => (service === null ? pager : (own.get(service) ?? pager));
  const pager = pagerOver(access, of);
  for (const [service, theirs] of Object.entries(ofServices)) own.set(service, pagerOver(theirs, of));
  return pager;
}

/**
 * Pages over the REST API when there is a token and a service, which answers with the incident at once; over
 * Events v2 when there is only a routing key. The same key never opens two incidents.
 */
function pagerOver(access: Access, of: Pager['of']): Pager {
  const client = pagerDutyClient(access);
  const canAsk = access.token !== undefined || access.app !== undefined;
  const viaRest = (request: PageRequest) => canAsk && request.serviceId !== null;
  const { routingKey } = access;

  return {
    of,
    canAsk,
    async page(request) {
      if (!viaRest(request)) return pageOverEvents(client, routingKey, request);
      try {
        return await pageOverRest(client, request);
      } catch (thrown) {
        // A page fails open: what REST refuses for good goes out by the other way in.
        const isRefused = thrown instanceof ExternalError && !thrown.retryable;
        if (!isRefused || routingKey === undefined) throw thrown;
        return pageOverEvents(client, routingKey, request);
      }
    },
    async pagePeople(request) {
      return pagePeople(client, request, await selfOf(client, access.from));
    },
    async adopt(keys, request) {
      if (!canAsk) return { kind: 'cannot-look' };
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
    acknowledge: (receipt) => setStatus(client, receipt, { routingKey, to: 'acknowledged' }),
    resolve: (receipt) => setStatus(client, receipt, { routingKey, to: 'resolved' }),
    reassign: (receipt, userIds) => reassign(client, receipt, userIds),
    prioritise: async ({ pagerdutyId }, name) =>
      pagerdutyId !== null && (await prioritise(client, pagerdutyId, name)),
    self: () => selfOf(client, access.from),
    ...asking(client),
  };
}

/** What is only read. */
function asking(
  client: Client,
): Pick<Pager, 'onCall' | 'user' | 'userByEmail' | 'notifications' | 'keysOf' | 'look' | 'noteText'> {
  return {
    onCall: (policyId) => onCallOf(client, policyId),
    user: (id) => findUser(client, id),
    userByEmail: (email) => findUserByEmail(client, email),
    notifications: (id) => notificationsOf(client, id),
    keysOf: (id) => keysOf(client, id),
    look: (id) => lookAt(client, id),
    noteText: (id, noteId) => noteText(client, id, noteId),
  };
}

/** The user in whose name the bot writes. */
async function selfOf(client: Client, from: string | undefined): Promise<PagerUser | null> {
  return from === undefined ? null : findUserByEmail(client, from);
}

async function pageOverRest(client: Client, request: PageRequest): Promise<PageReceipt> {
  const receipt = request.raise?.pagerdutyId
    ? await raise(client, request, request.raise.pagerdutyId)
    : await openOverRest(client, request);
  return { ...receipt, notified: await notified(client, request.escalationPolicyId) };
}

async function pageOverEvents(
  client: Client,
  routingKey: string | undefined,
  request: PageRequest,
): Promise<PageReceipt> {
  if (routingKey === undefined) throw notConfigured(NEITHER);
  await client.send(triggerEvent(routingKey, request));
  return { via: 'events', key: request.key, pagerdutyId: null, url: null, notified: [] };
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

async function setStatus(
  client: Client,
  receipt: PageReceipt,
  wanted: { routingKey: string | undefined; to: 'acknowledged' | 'resolved' },
): Promise<void> {
  if (receipt.via === 'events') {
    if (wanted.routingKey === undefined) throw notConfigured(NEITHER);
    const event_action = wanted.to === 'resolved' ? 'resolve' : 'acknowledge';
    await client.send({ routing_key: wanted.routingKey, event_action, dedup_key: receipt.key });
    return;
  }
  if (receipt.pagerdutyId === null) return;
  const body = { incident: { type: 'incident_reference', status: wanted.to } };
  try {
    await client.rest({ method: 'put', path: pathOf(receipt.pagerdutyId), body });
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
      summary: cutTitle(request.title),
      source: 'llm-incident',
      severity: request.urgency === 'high' ? ('critical' as const) : ('warning' as const),
      custom_details: { details: request.details },
    },
    ...(request.link === null ? {} : { links: [{ href: request.link, text: 'Incident room' }] }),
    client: 'llm-incident',
  };
}
