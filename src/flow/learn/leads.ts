import type { Incident } from '../../incident/incident.ts';
import { type Flow, serviceConfig } from '../flow.ts';

/** Who decides what only the lead may; where no lead is known the owner of the service does. Empty: whoever comes. */
export function leadsOf(flow: Pick<Flow, 'config'>, { service }: Pick<Incident, 'service'>): string[] {
  const leads = flow.config.contacts.engineering_lead;
  const owner = serviceConfig(flow, service)?.owner;
  return leads.length > 0 ? leads : owner === undefined ? [] : [owner];
}
