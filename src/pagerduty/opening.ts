import { z } from 'zod';
import { ExternalError } from '../errors.ts';
import type { PageReceipt, PageRequest } from '../flow/page/pager-port.ts';
import { incident, type PagerDutyIncident } from './adoption.ts';
import type { Client } from './client.ts';
import { priorityIdOf } from './directory.ts';

export const oneIncident = z.looseObject({ incident });
const manyIncidents = z.looseObject({ incidents: z.array(incident) });

const LONGEST_SUMMARY = 1024;

export const pathOf = (id: string) => `/incidents/${encodeURIComponent(id)}`;
export const cutTitle = (title: string) => title.slice(0, LONGEST_SUMMARY);

/** Opens an incident for the people of the policy, or for `assignees` alone; the same key opens it once. */
export async function openOverRest(
  client: Client,
  request: PageRequest,
  assignees: readonly string[] = [],
): Promise<PageReceipt> {
  if (request.serviceId === null) throw notConfigured('no PagerDuty service is named for it');
  const priority = await priorityReference(client, request.priority);
  const body = {
    incident: {
      type: 'incident',
      title: cutTitle(request.title),
      service: { id: request.serviceId, type: 'service_reference' },
      urgency: request.urgency,
      incident_key: request.key,
      body: { type: 'incident_body', details: request.details },
      ...priority,
      ...whoFor(request, assignees),
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

function whoFor({ escalationPolicyId }: PageRequest, assignees: readonly string[]): object {
  if (assignees.length > 0) {
    return { assignments: assignees.map((id) => ({ assignee: { id, type: 'user_reference' } })) };
  }
  if (escalationPolicyId === null) return {};
  return { escalation_policy: { id: escalationPolicyId, type: 'escalation_policy_reference' } };
}

/** Policy: a priority is a label; where it cannot be looked up, the page goes out without it. */
async function priorityReference(client: Client, name: string | null): Promise<object> {
  if (name === null) return {};
  try {
    const id = await priorityIdOf(client, name);
    return id === null ? {} : { priority: { id, type: 'priority_reference' } };
  } catch (thrown) {
    if (thrown instanceof ExternalError) return {};
    throw thrown;
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
  return found.incidents.find((one) => one.incident_key === request.key) ?? null;
}

/** A low-urgency ticket does not escalate: it is raised to high urgency instead of opening a second incident. */
export async function raise(client: Client, request: PageRequest, id: string): Promise<PageReceipt> {
  const adopted = request.raise?.adopted ? { adopted: request.raise.adopted } : {};
  const title = request.raise?.adopted ? {} : { title: cutTitle(request.title) };
  const priority = await priorityReference(client, request.priority);
  const change = { type: 'incident_reference', urgency: request.urgency, ...title, ...priority };
  const raised = await client.rest({ method: 'put', path: pathOf(id), body: { incident: change } });
  return { ...receiptOf(request.key, oneIncident.parse(raised).incident), ...adopted };
}

/** False when the account has no such priority. */
export async function prioritise(client: Client, id: string, name: string): Promise<boolean> {
  const priorityId = await priorityIdOf(client, name);
  if (priorityId === null) return false;
  const priority = { id: priorityId, type: 'priority_reference' };
  await client.rest({
    method: 'put',
    path: pathOf(id),
    body: { incident: { type: 'incident_reference', priority } },
  });
  return true;
}

export function receiptOf(key: string, found: PagerDutyIncident): PageReceipt {
  return { via: 'rest', key, pagerdutyId: found.id, url: found.html_url ?? null, notified: [] };
}

export function notConfigured(why: string): ExternalError {
  return new ExternalError(why, { service: 'PagerDuty', code: 'not-configured', retryable: false });
}
