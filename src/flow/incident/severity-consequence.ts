import type { Severity } from '../../db/schema.ts';
import { type Incident, PRODUCTION, pagePlan } from '../../incident/incident.ts';
import type { Flow } from '../flow.ts';
import { escalationsOf } from '../page/escalation.ts';

/** What follows when a person sets this severity, in a sentence or two. */
export function consequenceOf(
  flow: Pick<Flow, 'config' | 'pager'>,
  incident: Incident,
  severity: Severity,
): string {
  const minutes = flow.config.update_minutes[severity];
  const updates = minutes === 0 ? '' : ` An update is due every ${minutes} minutes.`;
  return `${pagingOf(flow, { ...incident, source: 'person', severity })}${updates}`;
}

function pagingOf(flow: Pick<Flow, 'config' | 'pager'>, incident: Incident): string {
  const plan = pagePlan(incident, escalationsOf(flow, incident));
  if (plan.kind === 'nobody' || flow.pager === null) return 'Nobody is paged.';
  return plan.kind === 'page'
    ? 'The on-call engineer is paged; the card shows the receipt.'
    : 'A ticket is opened; nobody is woken.';
}

/** Who is paged for what a person declares, before they do. */
export function pagingBefore({ config, pager }: Pick<Flow, 'config' | 'pager'>): string {
  if (config.environment !== PRODUCTION)
    return `Pages nobody: the environment is ${config.environment}, and only production pages.`;
  return pager === null
    ? 'Pages nobody: PagerDuty is not configured.'
    : 'SEV1 pages who is on call at once, SEV2 opens a ticket, SEV3 wakes no one.';
}
