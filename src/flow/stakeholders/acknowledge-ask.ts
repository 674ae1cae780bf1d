import { enqueue } from '../../db/jobs.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import type { StakeholderRole } from '../../incident/stakeholder.ts';
import { acknowledgeAsk, asksOf } from '../../incident/stakeholder-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { showAsks } from './ask-stakeholders.ts';
import { rolesHeldBy } from './contacts.ts';

export type AskAnswer =
  | { kind: 'acknowledged'; roles: StakeholderRole[] }
  | { kind: 'already'; role: StakeholderRole; by: string; at: Date }
  /** The contacts of the roles that were asked. */
  | { kind: 'not-allowed'; who: string[] }
  | { kind: 'nobody-asked' };

/**
 * A stakeholder says that they know of it. Policy: whoever is a contact of the role now, asked or not, acknowledges for
 * it; one contact is enough. Without `role`, for every role that the person holds.
 */
export async function acknowledgeAsks(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log'>,
  { incident, by, role }: { incident: Incident; by: string; role: StakeholderRole | null },
): Promise<AskAnswer> {
  const asks = (await asksOf(flow.db, incident.id)).filter((ask) => role === null || ask.role === role);
  if (asks.length === 0) return { kind: 'nobody-asked' };
  const roles = asks.map((ask) => ask.role);
  const held = await rolesHeldBy(flow, by, roles);
  if (held.length === 0) {
    return { kind: 'not-allowed', who: [...new Set(roles.flatMap((one) => flow.config.contacts[one]))] };
  }
  const taken: StakeholderRole[] = [];
  for (const one of held) if (await acknowledgeOne(flow, { incident, by, role: one })) taken.push(one);
  if (taken.length > 0) return { kind: 'acknowledged', roles: taken };
  const before = (await asksOf(flow.db, incident.id)).find((ask) => ask.role === held[0]);
  return {
    kind: 'already',
    role: held[0] as StakeholderRole,
    by: before?.acknowledged_by ?? by,
    at: before?.acknowledged_at ?? flow.clock.now(),
  };
}

async function acknowledgeOne(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, role }: { incident: Incident; by: string; role: StakeholderRole },
): Promise<boolean> {
  const now = flow.clock.now();
  const incidentId = incident.id;
  return flow.db.transaction().execute(async (tx) => {
    const ask = await acknowledgeAsk(tx, { incidentId, role, by, at: now });
    if (ask === undefined) return false;
    const late = ask.breached_at === null ? '' : ', after the breach';
    const text = `Acknowledged for ${role}${late}.`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'stakeholder', actor: by, text, data: { role } });
    const subject = nameOf(incidentId);
    await audit(tx, { at: now, actor: by, action: 'stakeholder.acknowledged', subject, data: { role } });
    await enqueue(tx, [showAsks(incidentId, now), refreshCard(incidentId, now)]);
    return true;
  });
}
