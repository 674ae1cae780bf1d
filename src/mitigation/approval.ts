import type { MitigationStatus, Row } from '../db/schema.ts';
import { hashPlan, type Plan, parsePlan } from './plan.ts';

declare const proof: unique symbol;

/** A plan that people who may have approved. Only `approvedBy` makes one, so an unapproved run does not compile. */
export interface Approved {
  readonly mitigationId: number;
  readonly plan: Plan;
  readonly planHash: string;
  readonly approvers: readonly string[];
  readonly [proof]: true;
}

type Mitigation = Pick<
  Row<'mitigation'>,
  'id' | 'plan' | 'plan_hash' | 'status' | 'proposed_by' | 'expires_at'
>;
type Vote = Pick<Row<'vote'>, 'voter' | 'choice' | 'plan_hash'>;

export const APPROVALS_NEEDED = 1;

/** The approval as the rows have it: enough votes, by others than the proposer, for exactly this plan. */
export function approvedBy(mitigation: Mitigation, votes: readonly Vote[]): Approved | null {
  const plan = parsePlan(mitigation.plan);
  if (hashPlan(plan) !== mitigation.plan_hash) return null;
  const approvers = votes
    .filter((vote) => vote.choice === 'approve' && vote.plan_hash === mitigation.plan_hash)
    .map((vote) => vote.voter)
    .filter((voter) => voter !== mitigation.proposed_by);
  if (approvers.length < APPROVALS_NEEDED) return null;
  return {
    mitigationId: mitigation.id,
    plan,
    planHash: mitigation.plan_hash,
    approvers,
  } as unknown as Approved;
}

export type VoteOutcome =
  | { kind: 'approved' }
  | { kind: 'rejected' }
  | { kind: 'not-allowed'; who: string[] }
  | { kind: 'own-proposal' }
  | { kind: 'expired' }
  | { kind: 'already-decided'; status: MitigationStatus }
  | { kind: 'wrong-plan' }
  | { kind: 'not-found' };

export interface VoteQuestion {
  mitigation: Mitigation;
  voter: string;
  choice: 'approve' | 'reject';
  planHash: string;
  mayApprove: readonly string[];
  now: Date;
}

/**
 * A vote counts when the plan is the one that was shown, still open and not expired, and the voter may approve and
 * did not propose it. The proposer may withdraw by rejecting.
 */
export function judgeVote(question: VoteQuestion): VoteOutcome {
  const { mitigation, voter, choice, mayApprove } = question;
  if (mitigation.plan_hash !== question.planHash) return { kind: 'wrong-plan' };
  if (mitigation.status === 'expired') return { kind: 'expired' };
  if (mitigation.status !== 'proposed') return { kind: 'already-decided', status: mitigation.status };
  if (question.now >= mitigation.expires_at) return { kind: 'expired' };
  const isProposer = voter === mitigation.proposed_by;
  if (choice === 'reject' && isProposer) return { kind: 'rejected' };
  if (!mayApprove.includes(voter)) return { kind: 'not-allowed', who: [...mayApprove] };
  if (isProposer) return { kind: 'own-proposal' };
  return { kind: choice === 'approve' ? 'approved' : 'rejected' };
}
