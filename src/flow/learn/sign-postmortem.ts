import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { SIGNED, type SigningRole } from '../../postmortem/duty.ts';
import { findPostmortem } from '../../postmortem/postmortem-store.ts';
import { refreshCard, writePostmortem } from '../effects.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { peopleOf } from '../stakeholders/contacts.ts';
import { showPostmortem } from './duty-effects.ts';
import { type DutyState, dutyState, signingRoles } from './duty-state.ts';

export type Signed =
  | { kind: 'signed'; unsigned: SigningRole[] }
  | { kind: 'already' }
  | { kind: 'not-written' }
  | { kind: 'not-done'; left: string[] }
  | { kind: 'not-allowed'; who: string[] };

/**
 * Signs the document off in the place of every role that the person holds. Policy: it is signed by its owner, in a safety
 * incident by legal too, and only when nothing is left to do.
 */
export async function signPostmortem(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log'>,
  { incident, by, note }: { incident: Incident; by: string; note: string },
): Promise<Signed> {
  const legal = await peopleOf(flow, flow.config.contacts.legal);
  const at = flow.clock.now();
  const { id: incidentId } = incident;
  return flow.db.transaction().execute(async (tx): Promise<Signed> => {
    const current = (await lockIncident(tx, incidentId)) ?? incident;
    const written = await findPostmortem(tx, incidentId);
    if (written === undefined) return { kind: 'not-written' };
    const state = await dutyState(flow, tx, current);
    const holders = { owner: ownersOf(flow, current, state), legal };
    const needed = signingRoles(flow, current);
    const roles = needed.filter((role) => holders[role].includes(by));
    if (roles.length === 0)
      return { kind: 'not-allowed', who: [...new Set(needed.flatMap((role) => holders[role]))] };
    if (state.left.length > 0) return { kind: 'not-done', left: state.left };
    if (roles.every((role) => !state.unsigned.includes(role))) return { kind: 'already' };
    const text = `Signed the post-mortem off${note === '' ? '' : `: ${note}`}.`;
    await addToTimeline(tx, { incidentId, at, kind: SIGNED, actor: by, text, data: { roles } });
    const data = { roles, digest: digestOf(written.markdown) };
    await audit(tx, { at, actor: by, action: 'postmortem.signed', subject: nameOf(incidentId), data });
    await enqueue(tx, [
      writePostmortem(incidentId, at),
      showPostmortem(incidentId, at),
      refreshCard(incidentId, at),
    ]);
    return { kind: 'signed', unsigned: state.unsigned.filter((role) => !roles.includes(role)) };
  });
}

/** Where nobody was made its owner, the owner of the service signs, or the lead. */
function ownersOf(flow: Pick<Flow, 'config'>, { service }: Incident, { duty }: DutyState): string[] {
  const owner = duty?.owner ?? serviceConfig(flow, service)?.owner;
  return owner === undefined ? flow.config.contacts.engineering_lead : [owner];
}
