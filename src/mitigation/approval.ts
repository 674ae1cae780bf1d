import type { Category, MitigationStatus, Row } from '../db/schema.ts';
import { digestOf } from '../evidence/digest.ts';
import { type ApprovalClass, hashPlan, isResume, type Plan, parsePlan, type StandingName } from './plan.ts';
import { kindOf, subjectOf } from './serving.ts';

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

/** What a team wrote down that on-call may run at once; the hash names exactly this one. */
export interface StandingApproval {
  what: StandingName;
  hash: string;
}

/** The standing approvals of a service as the configuration has them; each has a hash of its own. */
export function standingApprovals(about: {
  service: string;
  environment: string;
  target: string;
  names: readonly StandingName[];
}): StandingApproval[] {
  const { service, environment, target, names } = about;
  return names.map((what) => ({ what, hash: digestOf({ format: 1, service, environment, target, what }) }));
}

export interface Classified {
  steps: Plan['steps'];
  wish: Plan['wish'];
  category: Category;
  /** It goes to a prompt version or a model that the ledger has not seen serving well before. */
  isForward: boolean;
  /** "user u-7": whom the evidence names. */
  offender: string | null;
  standing: readonly StandingApproval[];
}

/**
 * Policy: two people for resuming, for going forward and for shifting traffic up; what a standing approval of the team
 * covers, one person on call alone; anything else one approver who did not propose it. In a safety incident no
 * automation runs anything: what needs fewer than two people is marked so.
 */
export function classOf(about: Classified): Pick<Plan, 'approval' | 'standing'> {
  const { steps, isForward, category } = about;
  const isUp = steps.some(
    ({ setting, from, to }) => kindOf(setting) === 'split' && Number(to) > Number(from),
  );
  if (isForward || isUp || steps.some(isResume)) return { approval: 'two', standing: null };
  const standing = about.standing.find(({ what }) => COVERS[what](about)) ?? null;
  if (category === 'safety') return { approval: 'never-automatic', standing };
  return { approval: standing === null ? 'one' : 'standing', standing };
}

/** Policy: what each standing approval covers; every step of the plan must be of that sort. */
const COVERS: Record<StandingName, (about: Classified) => boolean> = {
  disable: ({ steps }) =>
    steps.every(({ setting, to }) => ['enabled', 'type'].includes(kindOf(setting)) && to === false),
  'known-good': ({ wish }) => wish.kind === 'known-good',
  'throttle-offender': ({ steps, offender }) =>
    steps.every(
      ({ setting, from, to }) =>
        kindOf(setting) === 'limit' &&
        subjectOf(setting) === offender &&
        to !== null &&
        (from === null || Number(to) < Number(from)),
    ),
};

const PEOPLE: Record<ApprovalClass, number> = { standing: 1, one: 1, two: 2, 'never-automatic': 1 };

/** Who must agree: so many people, and whether whoever proposed it counts, as under a standing approval. */
export interface Needed {
  people: number;
  standing: StandingName | null;
}

/** `standingNow`: the standing approvals in the configuration now; one that was changed or removed is worth nothing. */
export function neededFor(
  { approval, standing }: Pick<Plan, 'approval' | 'standing'>,
  standingNow: readonly StandingApproval[],
): Needed {
  const isStill = standing !== null && standingNow.some(({ hash }) => hash === standing.hash);
  return isStill ? { people: 1, standing: standing.what } : { people: PEOPLE[approval], standing: null };
}

/** People who approved exactly this plan; whoever proposed it counts only under a standing approval. */
export function approversOn(
  mitigation: Pick<Mitigation, 'plan_hash' | 'proposed_by'>,
  votes: readonly Vote[],
  { standing }: Needed,
): string[] {
  const voters = votes
    .filter((vote) => vote.choice === 'approve' && vote.plan_hash === mitigation.plan_hash)
    .map((vote) => vote.voter)
    .filter((voter) => standing !== null || voter !== mitigation.proposed_by);
  return [...new Set(voters)];
}

/** The approval as the rows have it: enough people who may, for exactly this plan. */
export function approvedBy(
  mitigation: Mitigation,
  votes: readonly Vote[],
  standingNow: readonly StandingApproval[],
): Approved | null {
  const plan = parsePlan(mitigation.plan);
  if (hashPlan(plan) !== mitigation.plan_hash) return null;
  const needed = neededFor(plan, standingNow);
  const approvers = approversOn(mitigation, votes, needed);
  if (approvers.length < needed.people) return null;
  return {
    mitigationId: mitigation.id,
    plan,
    planHash: mitigation.plan_hash,
    approvers,
  } as unknown as Approved;
}

export type VoteOutcome =
  | { kind: 'approved'; standing: StandingName | null }
  /** It counts, and more people are needed. */
  | { kind: 'counted'; have: number; needed: number }
  | { kind: 'already-voted'; have: number; needed: number }
  | { kind: 'rejected' }
  /** The world changed after it was proposed; `replacedBy` is the plan that was proposed in its place. */
  | { kind: 'stale'; what: string; replacedBy: number | null }
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
  /** Those that were cast before. */
  votes: readonly Vote[];
  standingNow: readonly StandingApproval[];
  now: Date;
}

/**
 * A vote counts when the plan is the one that was shown, still open and not expired, and the voter may approve and
 * did not propose it, which matters not under a standing approval. The proposer may withdraw by rejecting.
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
  return choice === 'reject' ? { kind: 'rejected' } : judgeApproval(question, isProposer);
}

function judgeApproval(question: VoteQuestion, isProposer: boolean): VoteOutcome {
  const { mitigation, votes, voter } = question;
  const needed = neededFor(parsePlan(mitigation.plan), question.standingNow);
  if (isProposer && needed.standing === null) return { kind: 'own-proposal' };
  const before = approversOn(mitigation, votes, needed);
  const have = before.includes(voter) ? before.length : before.length + 1;
  if (have >= needed.people) return { kind: 'approved', standing: needed.standing };
  const kind = before.includes(voter) ? 'already-voted' : 'counted';
  return { kind, have, needed: needed.people };
}
