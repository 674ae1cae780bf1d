import type { Category, MitigationStatus, Row, VoteChoice } from '../db/schema.ts';
import { type Needed, neededFor, type StandingApproval } from './approval-class.ts';
import { AUTOMATION, hashPlan, isResume, type Plan, parsePlan, type StandingName } from './plan.ts';

declare const proof: unique symbol;

/** How a plan came to be approved: by enough people, under a standing approval, or by one person alone with a reason. */
export type ApprovalPath =
  | { kind: 'votes' }
  | { kind: 'standing'; what: StandingName }
  | { kind: 'break-glass'; reason: string };

/** A plan that people who may have approved. Only `approvedBy` makes one, so an unapproved run does not compile. */
export interface Approved {
  readonly mitigationId: number;
  readonly plan: Plan;
  readonly planHash: string;
  readonly approvers: readonly string[];
  readonly path: ApprovalPath;
  readonly [proof]: true;
}

type Mitigation = Pick<
  Row<'mitigation'>,
  'id' | 'plan' | 'plan_hash' | 'status' | 'proposed_by' | 'expires_at'
>;
type Vote = Pick<Row<'vote'>, 'voter' | 'choice' | 'plan_hash' | 'reason'>;

/** Who counts at this moment, as it was read just now. */
export interface Electorate {
  mayApprove: readonly string[];
  /** Who may run it alone and say why; null: nobody ever may. */
  mayBreakGlass: readonly string[] | null;
  /** The standing approvals in the configuration. */
  standing: readonly StandingApproval[];
}

/** Policy: nobody ever resumes alone in a safety incident. */
export function isNeverAlone({ steps }: Pick<Plan, 'steps'>, category: Category): boolean {
  return category === 'safety' && steps.some(isResume);
}

/**
 * People who approved exactly this plan and still may; whoever proposed it counts only under a standing approval.
 * Policy: a vote counts as long as its voter may approve, so that of somebody who was removed since counts no more.
 */
export function approversOn(
  mitigation: Pick<Mitigation, 'plan_hash' | 'proposed_by'>,
  votes: readonly Vote[],
  { needed, mayApprove }: { needed: Needed; mayApprove: readonly string[] },
): string[] {
  const voters = votes
    .filter((vote) => vote.choice === 'approve' && vote.plan_hash === mitigation.plan_hash)
    .map((vote) => vote.voter)
    .filter((voter) => mayApprove.includes(voter))
    .filter((voter) => needed.standing !== null || voter !== mitigation.proposed_by);
  return [...new Set(voters)];
}

/** Policy: the bot counts for a named offender's limit alone, under the standing approval, never in a safety incident. */
const isAutomatic = ({ approval }: Pick<Plan, 'approval'>, { standing }: Needed) =>
  approval === 'standing' && standing === 'throttle-offender';

/** The approval as the rows have it: enough people who may, or one alone with a reason, for exactly this plan. */
export function approvedBy(
  mitigation: Mitigation,
  votes: readonly Vote[],
  electorate: Electorate,
): Approved | null {
  const plan = parsePlan(mitigation.plan);
  if (hashPlan(plan) !== mitigation.plan_hash) return null;
  const needed = neededFor(plan, electorate.standing);
  const mayApprove = electorate.mayApprove.filter((one) => one !== AUTOMATION || isAutomatic(plan, needed));
  const approvers = approversOn(mitigation, votes, { needed, mayApprove });
  const made = (by: readonly string[], path: ApprovalPath) => {
    const { id: mitigationId, plan_hash: planHash } = mitigation;
    return { mitigationId, plan, planHash, approvers: by, path } as unknown as Approved;
  };
  if (approvers.length >= needed.people) {
    return made(
      approvers,
      needed.standing === null ? { kind: 'votes' } : { kind: 'standing', what: needed.standing },
    );
  }
  const alone = votes.find(
    (vote) => vote.choice === 'break-glass' && vote.plan_hash === mitigation.plan_hash && hasReason(vote),
  );
  if (alone === undefined || !electorate.mayBreakGlass?.includes(alone.voter)) return null;
  return made([alone.voter], { kind: 'break-glass', reason: alone.reason ?? '' });
}

const hasReason = ({ reason }: { reason?: string | null | undefined }) => (reason ?? '').trim() !== '';

/** Whom break-glass calls: the engineering lead, those who may approve, or nobody, for nobody else is named. */
export type Called = 'lead' | 'approvers' | 'nobody';

export type VoteOutcome =
  /** `alone`: by break-glass; `called`: who is told of that, where it is known. */
  | { kind: 'approved'; standing: StandingName | null; alone: boolean; called?: Called }
  /** It counts, and more people are needed. */
  | { kind: 'counted'; have: number; needed: number }
  | { kind: 'already-voted'; have: number; needed: number }
  | { kind: 'rejected' | 'withdrawn' }
  /** Rejected before by the same person, who now says why. */
  | { kind: 'reason-kept' }
  /** Alone: without a reason; where the own approval is enough; where nobody ever may. */
  | { kind: 'no-reason' | 'glass-not-needed' | 'never-alone' }
  /** The world changed after it was proposed; `replacedBy` is the plan that was proposed in its place. */
  | { kind: 'stale'; what: string; replacedBy: number | null }
  /** It would set back on what a safety incident took away, and that is not released. */
  | { kind: 'not-released'; why: string }
  | { kind: 'not-allowed'; who: string[] }
  | { kind: 'own-proposal' }
  | { kind: 'expired' }
  | { kind: 'already-decided'; status: MitigationStatus }
  | { kind: 'wrong-plan' }
  | { kind: 'not-found' };

export interface VoteQuestion {
  mitigation: Mitigation;
  voter: string;
  choice: VoteChoice;
  planHash: string;
  reason?: string | undefined;
  electorate: Electorate;
  /** Those that were cast before. */
  votes: readonly Vote[];
  now: Date;
}

/**
 * A vote counts when the plan is the one that was shown, still open and not expired, and the voter may approve and
 * did not propose it, which matters not under a standing approval. The proposer withdraws by rejecting.
 */
export function judgeVote(question: VoteQuestion): VoteOutcome {
  const { mitigation, voter, choice, votes } = question;
  const { mayApprove } = question.electorate;
  if (mitigation.plan_hash !== question.planHash) return { kind: 'wrong-plan' };
  if (mitigation.status === 'expired') return { kind: 'expired' };
  const own = votes.find((vote) => vote.voter === voter);
  const isOwnRejection = mitigation.status === 'rejected' && choice === 'reject' && own?.choice === 'reject';
  if (isOwnRejection && !hasReason(own) && hasReason(question)) return { kind: 'reason-kept' };
  if (mitigation.status !== 'proposed') return { kind: 'already-decided', status: mitigation.status };
  if (question.now >= mitigation.expires_at) return { kind: 'expired' };
  if (choice === 'break-glass') return judgeBreakGlass(question);
  const isProposer = voter === mitigation.proposed_by;
  if (choice === 'reject' && isProposer) return { kind: 'withdrawn' };
  if (!mayApprove.includes(voter)) return { kind: 'not-allowed', who: [...mayApprove] };
  return choice === 'reject' ? { kind: 'rejected' } : judgeApproval(question);
}

function judgeApproval(question: VoteQuestion): VoteOutcome {
  const { mitigation, votes, voter, electorate } = question;
  const needed = neededFor(parsePlan(mitigation.plan), electorate.standing);
  if (voter === mitigation.proposed_by && needed.standing === null) return { kind: 'own-proposal' };
  const before = approversOn(mitigation, votes, { needed, mayApprove: electorate.mayApprove });
  const have = before.includes(voter) ? before.length : before.length + 1;
  if (have >= needed.people) return { kind: 'approved', standing: needed.standing, alone: false };
  const kind = before.includes(voter) ? 'already-voted' : 'counted';
  return { kind, have, needed: needed.people };
}

/** Policy: alone only whoever may break the glass, with a reason, and where an approval of theirs is not enough. */
function judgeBreakGlass(question: VoteQuestion): VoteOutcome {
  const { voter, electorate } = question;
  const { mayBreakGlass, mayApprove } = electorate;
  if (mayBreakGlass === null) return { kind: 'never-alone' };
  if (!mayBreakGlass.includes(voter)) return { kind: 'not-allowed', who: [...mayBreakGlass] };
  if (mayApprove.includes(voter) && judgeApproval(question).kind === 'approved')
    return { kind: 'glass-not-needed' };
  return hasReason(question) ? { kind: 'approved', standing: null, alone: true } : { kind: 'no-reason' };
}
