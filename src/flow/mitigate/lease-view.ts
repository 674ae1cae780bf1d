import { IN_FORCE } from '../../mitigation/in-force.ts';
import { findMitigation, mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import type { Flow } from '../flow.ts';
import type { LeaseView } from '../ports.ts';
import { approverIds } from './approvers.ts';
import { stillOnOf } from './still-on.ts';
import { ownerOf } from './tick-leases.ts';

/** What the owner of a lease is asked when it ends, and what became of it; with the key of that very question. */
export async function loadLease(
  flow: Pick<Flow, 'db' | 'config'>,
  mitigationId: number,
): Promise<{ key: string; lease: LeaseView }> {
  const mitigation = await findMitigation(flow.db, mitigationId);
  if (mitigation === undefined) throw new Error(`mitigation ${mitigationId} does not exist`);
  const { lease_asked_for: askedFor, incident_id: incidentId } = mitigation;
  const { what, since, until, kept } = stillOnOf(mitigation);
  const owner = ownerOf(flow, mitigation);
  const isOn = IN_FORCE.includes(mitigation.status);
  const isAnswered = until === null || askedFor === null || until > askedFor;
  const undo = (await mitigationsOf(flow.db, incidentId ?? 0)).findLast(
    ({ plan, status }) =>
      parsePlan(plan).wish.undoes === mitigationId && ['proposed', 'approved', 'running'].includes(status),
  );
  return {
    key: `lease:${mitigationId}:${askedFor?.getTime() ?? 0}`,
    lease: {
      mitigationId,
      incidentId: incidentId ?? 0,
      summary: what,
      since,
      ended: askedFor,
      owners: owner === null ? approverIds(flow, mitigation.service) : [owner],
      state: !isOn ? 'over' : isAnswered ? 'kept' : 'asks',
      until,
      kept,
      outcome: isOn ? null : mitigation.outcome,
      undoProposal: undo?.id ?? null,
    },
  };
}
