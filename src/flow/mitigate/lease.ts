import { leavesNothing } from '../../mitigation/in-force.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { type Flow, serviceConfig } from '../flow.ts';

export const HOUR_MS = 60 * 60_000;
const PERSON = /^[UW][A-Z0-9]+$/;

/**
 * Policy: every mitigation that is in force has an owner and an end: whoever proposed it, or the service's owner where
 * that was no person, for the configured hours. What takes another one back leaves nothing in force.
 */
export function leaseOf(
  flow: Pick<Flow, 'config'>,
  mitigation: Pick<Mitigation, 'plan' | 'proposed_by' | 'service'>,
  now: Date,
): Pick<Mitigation, 'lease_owner' | 'lease_until' | 'lease_next_at'> {
  if (leavesNothing(parsePlan(mitigation.plan)))
    return { lease_owner: null, lease_until: null, lease_next_at: null };
  const { proposed_by: proposer, service } = mitigation;
  const owner = PERSON.test(proposer) ? proposer : (serviceConfig(flow, service)?.owner ?? null);
  const until = new Date(now.getTime() + flow.config.lease_hours * HOUR_MS);
  return { lease_owner: owner, lease_until: until, lease_next_at: until };
}
