import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import { type Incident, PRODUCTION } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { letIn } from '../incident/invite-people.ts';
import { approverIds } from '../mitigate/approvers.ts';
import { onCallPeople } from '../page/on-call.ts';
import { present } from './present.ts';
import { audienceOf, type Told } from './push-policy.ts';

const TOLD = ['opened', 'unacknowledged', 'not-contained', 'unproven', 'failed'] as const satisfies Told[];

const payload = z.object({
  incidentId: z.number(),
  occasion: z.enum(TOLD),
  text: z.string(),
  actors: z.array(z.string()).default([]),
});

/** Tells whoever the policy names, by a top-level message that mentions them; an opening that is nobody's says nothing. */
export async function pushPeople(flow: Flow, job: Job): Promise<void> {
  const { incidentId, occasion, text, actors } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const mention = await peopleFor(flow, { incident, occasion, actors });
  if (occasion === 'opened' && mention.length === 0) return;
  await letIn(flow, { incidentId, people: mention });
  const key = occasion === 'opened' ? `opened:${incidentId}` : `notice:${job.id}`;
  const message = { kind: 'notice' as const, text, mention };
  await present(flow, { incidentId, key, message, retried: job.attempts > 1 });
}

async function peopleFor(
  flow: Flow,
  about: { incident: Incident; occasion: Told; actors: readonly string[] },
): Promise<string[]> {
  const { incident, occasion, actors } = about;
  const { commander, service } = incident;
  const owner = serviceConfig(flow, service)?.owner ?? null;
  const isLed = commander !== null && !actors.includes(commander) && occasion !== 'opened';
  const onCall = isLed ? [] : await onCallFor(flow, incident);
  const approvers = approverIds(flow, service);
  const leads = flow.config.contacts.engineering_lead;
  return audienceOf(occasion, { commander, onCall, owner, approvers, leads }, actors);
}

/** Nobody is on call for what never pages. */
async function onCallFor(flow: Flow, { service, environment, drill }: Incident): Promise<string[]> {
  const policy = serviceConfig(flow, service)?.pagerduty?.escalation_policy;
  if (policy === undefined || environment !== PRODUCTION || drill) return [];
  return onCallPeople(flow, { escalation_policy: policy, service }, { waitsForSlack: true });
}
