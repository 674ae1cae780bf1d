import { enqueue } from '../../db/jobs.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { invitePeople } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { onCallPeople } from '../page/on-call.ts';
import { nameOrId } from '../room/display-name.ts';

export type Invited =
  | { kind: 'ended' }
  | { kind: 'no-policy' }
  | { kind: 'nobody' }
  | { kind: 'invited'; people: string[] };

/** Lets people, the members of groups, or who is on call into the room; nobody is paged for it. */
export async function inviteByHand(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'pager' | 'log'>,
  { incident, by, people, onCall }: { incident: Incident; by: string; people: string[]; onCall: boolean },
): Promise<Invited> {
  if (!LIVE.includes(incident.status) && incident.status !== 'resolved') return { kind: 'ended' };
  const policy = serviceConfig(flow, incident.service)?.pagerduty?.escalation_policy;
  if (onCall && policy === undefined) return { kind: 'no-policy' };
  const called = onCall ? await onCallOf(flow, incident) : [];
  const wanted = [...new Set([...people, ...called])];
  if (wanted.length === 0) return { kind: 'nobody' };
  const now = flow.clock.now();
  const names = await Promise.all(wanted.map((id) => (id.startsWith('S') ? 'a group' : nameOrId(flow, id))));
  await flow.db.transaction().execute(async (tx) => {
    const text = `Invited ${names.join(', ')}.`;
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'invited', actor: by, text });
    await enqueue(tx, invitePeople(incident.id, wanted, now));
  });
  return { kind: 'invited', people: wanted };
}

/** Who is on call for the service now, first level; nobody where that cannot be told. */
export async function onCallOf(
  flow: Pick<Flow, 'config' | 'chat' | 'pager' | 'log'>,
  { service }: Pick<Incident, 'service'>,
): Promise<string[]> {
  const policy = serviceConfig(flow, service)?.pagerduty?.escalation_policy;
  return policy === undefined ? [] : onCallPeople(flow, { escalation_policy: policy, service });
}
