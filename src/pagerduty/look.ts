import { z } from 'zod';
import type { PagerLook } from '../flow/page/pager-port.ts';
import type { Client } from './client.ts';
import { pathOf } from './opening.ts';

const reference = z.looseObject({
  id: z.string(),
  type: z.string().nullish(),
  summary: z.string().nullish(),
  html_url: z.string().nullish(),
});
type Reference = z.infer<typeof reference>;

const shown = z.looseObject({
  incident: z.looseObject({
    status: z.string(),
    urgency: z.string().nullish(),
    incident_key: z.string().nullish(),
    html_url: z.string().nullish(),
    priority: reference.nullish(),
    assignments: z.array(z.looseObject({ assignee: reference })).nullish(),
    acknowledgements: z.array(z.looseObject({ at: z.string(), acknowledger: reference })).nullish(),
    last_status_change_at: z.string().nullish(),
    last_status_change_by: reference.nullish(),
    resolve_reason: z.looseObject({ type: z.string(), incident: reference.nullish() }).nullish().catch(null),
  }),
});
type Shown = z.infer<typeof shown>['incident'];

/** How the incident stands now. Source: `GET /incidents/{id}`. Throws ExternalError, also for one that is not there. */
export async function lookAt(client: Client, id: string): Promise<PagerLook> {
  const askedAt = new Date();
  const { incident } = shown.parse(await client.rest({ method: 'get', path: pathOf(id) }));
  const into =
    incident.resolve_reason?.type === 'merge_resolve_reason' ? incident.resolve_reason.incident : null;
  return {
    status: incident.status,
    urgency: incident.urgency ?? '',
    key: incident.incident_key ?? null,
    url: incident.html_url ?? null,
    priority: incident.priority?.summary ?? null,
    assignees: (incident.assignments ?? []).map(({ assignee }) => assignee.summary ?? assignee.id),
    mergedInto: into ? { id: into.id, url: into.html_url ?? null } : null,
    ...lastChange(incident),
    askedAt,
  };
}

/** The last change of status; of several who acknowledged, the first. */
function lastChange(incident: Shown): Pick<PagerLook, 'by' | 'since'> {
  const [first] = incident.status === 'acknowledged' ? (incident.acknowledgements ?? []) : [];
  const who = first?.acknowledger ?? incident.last_status_change_by ?? null;
  const at = first?.at ?? incident.last_status_change_at ?? null;
  return { by: who === null ? null : agentOf(who), since: at === null ? null : new Date(at) };
}

const agentOf = ({ id, type, summary }: Reference) => ({
  id,
  name: summary ?? id,
  isPerson: /^user(_reference)?$/.test(type ?? ''),
});
