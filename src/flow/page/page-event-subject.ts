import { ExternalError } from '../../errors.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type PagedIncident, pagedBy, placePage, unknownPages } from '../../incident/pager-state-store.ts';
import type { Flow } from '../flow.ts';
import type { PageEvent } from './page-event.ts';
import { requestKeyOf } from './page-key.ts';

export type Concerned = PagedIncident;

/**
 * Which incidents of ours an event is about: by PagerDuty's id on a receipt; before the receipt is written, by the key;
 * and where the page went out as an event, by the key of its alert, because such an incident has none of its own.
 */
export async function concernedBy(flow: Flow, event: PageEvent): Promise<Concerned[]> {
  const known = await pagedBy(flow.db, event.pagerdutyId);
  if (known.length > 0) return once(known);
  const byKey = await ofKey(flow, event.incident?.key ?? null);
  return byKey === null ? ofAlert(flow, event) : [byKey];
}

/** A ticket that became a page stands in two rows. */
function once(found: readonly PagedIncident[]): PagedIncident[] {
  return [...new Map(found.map((one) => [`${one.incidentId} ${one.purpose === 'people'}`, one])).values()];
}

async function ofKey(flow: Flow, key: string | null): Promise<PagedIncident | null> {
  if (key === null) return null;
  const [, id, suffix] = /\/INC-(\d{1,9})(\/[0-9a-f]+)?$/.exec(key) ?? [];
  const incident = id === undefined ? undefined : await findIncident(flow.db, Number(id));
  if (incident === undefined || key !== `${requestKeyOf(flow, incident)}${suffix ?? ''}`) return null;
  return { incidentId: incident.id, purpose: suffix === undefined ? 'page' : 'people' };
}

async function ofAlert(flow: Flow, event: PageEvent): Promise<PagedIncident[]> {
  if (event.incident === null || event.incident.key !== null) return [];
  const waiting = await unknownPages(flow.db);
  if (waiting.length === 0) return [];
  for (const { incidentId, key } of waiting) {
    const incident = await findIncident(flow.db, incidentId);
    const keys = await keysOf(flow, incident?.service ?? null, event.pagerdutyId);
    if (!keys.includes(key)) continue;
    await placePage(flow.db, key, { pagerdutyId: event.pagerdutyId, url: event.incident.url });
    return once(await pagedBy(flow.db, event.pagerdutyId));
  }
  return [];
}

/** Nothing can be looked up without a REST token; and what another account opened is not found. */
async function keysOf(flow: Flow, service: string | null, pagerdutyId: string): Promise<string[]> {
  const pager = flow.pager?.of(service);
  if (!pager?.canAsk) return [];
  try {
    return await pager.keysOf(pagerdutyId);
  } catch (thrown) {
    if (thrown instanceof ExternalError && !thrown.retryable) return [];
    throw thrown;
  }
}
