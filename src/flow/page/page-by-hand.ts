import { enqueue } from '../../db/jobs.ts';
import { type Incident, nameOf, PRODUCTION } from '../../incident/incident.ts';
import { addToTimeline, findIncident, lockLive } from '../../incident/incident-store.ts';
import { refreshCard } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { pageNow } from '../incident/open-incident.ts';

/**
 * A person pages now. Says who will be paged, or why nobody can be. Policy: neither drills nor other environments page,
 * by hand as little as by a rule; what was resolved in PagerDuty is paged again.
 */
export async function requestPageByHand(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'pager'>,
  { incident, by }: { incident: Incident; by: string },
): Promise<string> {
  if (incident.environment !== PRODUCTION)
    return `The environment is ${incident.environment}; only production pages.`;
  if (incident.drill) return 'This is a drill; drills page nobody.';
  if (flow.pager === null) return 'PagerDuty is not configured, so nobody can be paged from here.';
  const now = flow.clock.now();
  const isNew = await flow.db.transaction().execute(async (tx) => {
    if ((await lockLive(tx, incident.id)) === undefined) return null;
    const requested = await pageNow(flow, tx, { incident, now, purpose: 'page', again: 'if-over' });
    if (!requested) return false;
    await addToTimeline(tx, {
      incidentId: incident.id,
      at: now,
      kind: 'page',
      actor: by,
      text: 'Asked for a page.',
    });
    await enqueue(tx, refreshCard(incident.id, now));
    return true;
  });
  if (isNew === null) {
    const { status } = (await findIncident(flow.db, incident.id)) ?? incident;
    return `${nameOf(incident.id)} is ${status}; nobody is paged for it.`;
  }
  if (!isNew) return 'It was paged before; the card shows the receipt.';
  const config = serviceConfig(flow, incident.service)?.pagerduty;
  const { service, escalation_policy: policy } = config ?? {};
  const whose = config?.routing_key === undefined ? 'the default' : 'its own';
  if (service === undefined) return `Paging through ${whose} routing key; the receipt comes on the card.`;
  return `Paging PagerDuty service ${service}${policy ? ` by policy ${policy}` : ''}; the receipt comes on the card.`;
}
