import type { Mitigation } from '../mitigation/mitigation-store.ts';
import { parsePlan } from '../mitigation/plan.ts';
import { type Flow, serviceConfig } from './flow.ts';

const HOUR_MS = 60 * 60_000;
const PERSON = /^[UW][A-Z0-9]+$/;

/**
 * Policy: every mitigation that is in force has an owner and an end: whoever proposed it, or the service's owner where
 * that was no person, for the configured hours. What takes another one back leaves nothing in force.
 */
export function leaseOf(
  flow: Pick<Flow, 'config'>,
  mitigation: Pick<Mitigation, 'plan' | 'proposed_by' | 'service'>,
  now: Date,
): { lease_owner: string | null; lease_until: Date | null } {
  if (parsePlan(mitigation.plan).wish.kind === 'undo') return { lease_owner: null, lease_until: null };
  const { proposed_by: proposer, service } = mitigation;
  const owner = PERSON.test(proposer) ? proposer : (serviceConfig(flow, service)?.owner ?? null);
  return {
    lease_owner: owner,
    lease_until: new Date(now.getTime() + flow.config.lease_hours * HOUR_MS),
  };
}
