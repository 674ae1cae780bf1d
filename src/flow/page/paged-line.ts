import type { Db } from '../../db/database.ts';
import type { Row } from '../../db/schema.ts';
import { type Incident, pagePlan } from '../../incident/incident.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { type PagerState, pagerStatesOf } from '../../incident/pager-state-store.ts';
import type { Flow } from '../flow.ts';
import { escalationsOf } from './escalation.ts';
import type { PageReceipt } from './pager-port.ts';

/** What follows "Paged:" on the card: the newest word about paging, and what PagerDuty said of it since. */
export async function pagedLine(flow: Pick<Flow, 'db' | 'config'>, incident: Incident): Promise<string> {
  const newest = (await pagesOf(flow.db, incident.id)).at(-1);
  if (newest === undefined) return describePlan(flow, incident);
  if (newest.state === 'pending') return `${newest.reason}…`;
  return [newest.reason, ...(await sinceThen(flow.db, newest))].join(' · ');
}

/** While a page waits for its minutes, the card says so. */
function describePlan(flow: Pick<Flow, 'config'>, incident: Incident): string {
  const plan = pagePlan(incident, escalationsOf(flow, incident));
  return plan.kind === 'page' && plan.afterMs > 0
    ? `nobody yet; the on-call engineer is paged if it still fires in ${Math.round(plan.afterMs / 60_000)} minutes`
    : 'nobody';
}

async function sinceThen(db: Db, { receipt, purpose }: Row<'page'>): Promise<string[]> {
  const { pagerdutyId } = (receipt ?? { pagerdutyId: null }) as Pick<PageReceipt, 'pagerdutyId'>;
  if (pagerdutyId === null) return [];
  const states = await pagerStatesOf(db, pagerdutyId);
  return ORDER.flatMap((aspect) => states.filter((one) => one.aspect === aspect))
    .map((one) => describeState(one, purpose))
    .filter((text) => text !== null);
}

const ORDER = ['notified', 'status', 'people', 'priority', 'urgency'];

function describeState({ aspect, value, actor }: PagerState, purpose: 'page' | 'ticket'): string | null {
  const by = actor === null ? '' : ` by ${actor}`;
  if (aspect === 'notified') return value;
  if (aspect === 'people') return value;
  if (aspect === 'priority') return value === '' ? null : `priority ${value}`;
  if (aspect === 'urgency')
    return purpose === 'ticket' && value === 'high' ? 'raised to high urgency there' : null;
  if (value === 'resolved') return `resolved there${by}, which ends nothing here`;
  return value === 'triggered' ? null : `${value} there${by}`;
}
