import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { ExternalError } from '../errors.ts';
import { addToTimeline, findIncident } from '../incident/incident-store.ts';
import { approvedBy, judgeVote, type StandingApproval, type VoteOutcome } from '../mitigation/approval.ts';
import { audit } from '../mitigation/audit-store.ts';
import {
  findMitigation,
  insertVote,
  lockMitigation,
  type Mitigation,
  moveMitigation,
  votesOn,
} from '../mitigation/mitigation-store.ts';
import { changedSince, describeSteps, type Plan, parsePlan, staleNote } from '../mitigation/plan.ts';
import { approverIds, approversOf, standingNow } from './approvers.ts';
import { notice, refreshCard, runMitigation, showProposal, showReceipt } from './effects.ts';
import type { Flow } from './flow.ts';
import { proposeAgain } from './propose.ts';

export interface Ballot {
  mitigationId: number;
  planHash: string;
  choice: 'approve' | 'reject';
  voter: string;
  /** Where the button was; it must be the incident's own room. */
  channelId: string;
  /** Why it is refused, in the person's words. */
  reason?: string;
}

/** What was read again at the click, before anything is decided: no network inside a transaction. */
interface Reread {
  mayApprove: string[];
  standing: StandingApproval[];
  /** What changed since it was proposed; null: nothing, or the target could not be asked in time. */
  staleBecause: string | null;
}

/** Counts one click on Approve or Reject. Late, double, foreign and forged clicks change nothing and are answered. */
export async function castVote(flow: Flow, ballot: Ballot): Promise<VoteOutcome> {
  const known = await findMitigation(flow.db, ballot.mitigationId);
  if (known === undefined || !(await isInItsRoom(flow, known, ballot.channelId)))
    return { kind: 'not-found' };
  const mayApprove = await approversOf(flow, known.service);
  const standing = standingNow(flow, known);
  const votes = await votesOn(flow.db, known.id);
  const now = flow.clock.now();
  const likely = judgeVote({ mitigation: known, ...ballot, mayApprove, votes, standingNow: standing, now });
  const counts = likely.kind === 'approved' || likely.kind === 'counted';
  const staleBecause = counts ? await changeOfWorld(flow, parsePlan(known.plan)) : null;
  const reread = { mayApprove, standing, staleBecause };
  const outcome = await flow.db.transaction().execute((tx) => decide(flow, tx, { ballot, reread }));
  return outcome.kind === 'stale' ? replace(flow, outcome, known.id) : outcome;
}

async function isInItsRoom(flow: Flow, mitigation: Mitigation, channelId: string): Promise<boolean> {
  if (mitigation.incident_id === null) return false;
  const incident = await findIncident(flow.db, mitigation.incident_id);
  return incident?.channel_id === channelId;
}

/** A person waits for the answer to the click. The run reads once more, so what does not answer here is found there. */
const READ_AT_CLICK_MS = 3_000;

async function changeOfWorld(flow: Flow, plan: Plan): Promise<string | null> {
  const target = flow.targetFor(plan);
  if (target === null) return null;
  if (target.describe() !== plan.target)
    return `The plan is stale: its target was ${plan.target}, now it is ${target.describe()}. It was not sent.`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, READ_AT_CLICK_MS, null);
  });
  try {
    const state = await Promise.race([target.read(plan.steps.map(({ setting }) => setting)), late]);
    return state === null ? null : staleNote(changedSince(plan.steps, state));
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function decide(
  flow: Flow,
  tx: Tx,
  { ballot, reread }: { ballot: Ballot; reread: Reread },
): Promise<VoteOutcome> {
  const now = flow.clock.now();
  const { mayApprove, standing: standingApprovals, staleBecause } = reread;
  const mitigation = await lockMitigation(tx, ballot.mitigationId);
  if (mitigation === undefined) return { kind: 'not-found' };
  const votes = await votesOn(tx, mitigation.id);
  const judged = judgeVote({ mitigation, ...ballot, mayApprove, votes, standingNow: standingApprovals, now });
  const counts = judged.kind === 'approved' || judged.kind === 'counted';
  const outcome: VoteOutcome =
    counts && staleBecause !== null ? { kind: 'stale', what: staleBecause, replacedBy: null } : judged;
  const { standing } = parsePlan(mitigation.plan);
  const isStanding = outcome.kind === 'approved' && outcome.standing !== null;
  await audit(tx, {
    at: now,
    actor: ballot.voter,
    action: `mitigation.${ballot.choice}`,
    subject: `mitigation ${ballot.mitigationId}`,
    data: {
      outcome: outcome.kind,
      planHash: ballot.planHash,
      ...(isStanding && standing !== null ? { standing: standing.what, standingHash: standing.hash } : {}),
    },
  });
  const vote = { mitigation, ballot, now };
  if (outcome.kind === 'stale') await settleStale(tx, vote, outcome.what);
  else if (outcome.kind === 'rejected') await settleRejection(tx, vote);
  else if (counts) {
    await insertVote(tx, { ...ballot, at: now });
    const all = await votesOn(tx, mitigation.id);
    const isApproved = approvedBy(mitigation, all, standingApprovals) !== null;
    if (outcome.kind === 'counted') await tellCount(tx, vote);
    else if (!isApproved) return { kind: 'wrong-plan' };
    else if (outcome.kind === 'approved') {
      await settleApproval(flow, tx, { ...vote, standing: outcome.standing });
    }
  }
  return outcome;
}

interface Vote {
  mitigation: Mitigation;
  ballot: Ballot;
  now: Date;
}

async function settleApproval(
  flow: Flow,
  tx: Tx,
  { mitigation, ballot, now, standing }: Vote & { standing: string | null },
): Promise<void> {
  const incidentId = mitigation.incident_id as number;
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: 'approved' });
  const what = describeSteps(parsePlan(mitigation.plan).steps);
  const under = standing === null ? '' : ` under the standing approval \`${standing}\``;
  const text = `Approved${under}: ${what}.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'approved', actor: ballot.voter, text });
  if (standing !== null) {
    const mention = approverIds(flow, mitigation.service).filter((id) => id !== ballot.voter);
    const said = `Runs now, at one click${under}: ${what}.`;
    await enqueue(tx, notice(incidentId, now, { text: said, mention }));
  }
  const shown = [showProposal(incidentId, mitigation.id, now), refreshCard(incidentId, now)];
  await enqueue(tx, [runMitigation(mitigation, now), ...shown]);
}

/** A vote that is one of several: everyone sees how many are still needed. */
async function tellCount(tx: Tx, { mitigation, ballot, now }: Vote): Promise<void> {
  const incidentId = mitigation.incident_id as number;
  const text = `Approved by one: ${describeSteps(parsePlan(mitigation.plan).steps)}.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'vote', actor: ballot.voter, text });
  await enqueue(tx, showProposal(incidentId, mitigation.id, now));
}

async function settleRejection(tx: Tx, { mitigation, ballot, now }: Vote): Promise<void> {
  const incidentId = mitigation.incident_id as number;
  await insertVote(tx, { ...ballot, at: now });
  const why = ballot.reason === undefined || ballot.reason === '' ? '' : ` ${ballot.reason}`;
  const isWithdrawn = ballot.voter === mitigation.proposed_by;
  const outcome = `Rejected.${isWithdrawn ? ' Withdrawn by whoever proposed it.' : ''}${why}`;
  const set = { settled_at: now, outcome };
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: 'rejected', set });
  const text = `${isWithdrawn ? 'Withdrawn' : 'Rejected'}: ${describeSteps(parsePlan(mitigation.plan).steps)}.${why}`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'rejected', actor: ballot.voter, text });
  await enqueue(tx, [showProposal(incidentId, mitigation.id, now), refreshCard(incidentId, now)]);
}

async function settleStale(tx: Tx, { mitigation, now }: Vote, outcome: string): Promise<void> {
  const incidentId = mitigation.incident_id as number;
  const set = { settled_at: now, outcome };
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: 'stale', set });
  await addToTimeline(tx, { incidentId, at: now, kind: 'mitigation-stale', actor: null, text: outcome });
  const shown = [showProposal(incidentId, mitigation.id, now), showReceipt(incidentId, mitigation.id, now)];
  await enqueue(tx, [...shown, refreshCard(incidentId, now)]);
}

async function replace(
  flow: Flow,
  outcome: VoteOutcome & { kind: 'stale' },
  id: number,
): Promise<VoteOutcome> {
  const stale = await findMitigation(flow.db, id);
  const again = stale === undefined ? null : await proposeAgain(flow, stale);
  const isProposed = again?.kind === 'proposed' || again?.kind === 'already-proposed';
  return isProposed ? { ...outcome, replacedBy: again.mitigation.id } : outcome;
}
