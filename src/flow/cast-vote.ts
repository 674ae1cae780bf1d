import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { nameOf } from '../incident/incident.ts';
import { addToTimeline, findIncident } from '../incident/incident-store.ts';
import { approvedBy, judgeVote, type VoteOutcome } from '../mitigation/approval.ts';
import { audit } from '../mitigation/audit-store.ts';
import {
  findMitigation,
  insertVote,
  lockMitigation,
  type Mitigation,
  moveMitigation,
  votesOn,
} from '../mitigation/mitigation-store.ts';
import { describeSteps, parsePlan } from '../mitigation/plan.ts';
import { approversOf } from './approvers.ts';
import { refreshCard, runMitigation, showProposal } from './effects.ts';
import type { Flow } from './flow.ts';

export interface Ballot {
  mitigationId: number;
  planHash: string;
  choice: 'approve' | 'reject';
  voter: string;
  /** Where the button was; it must be the incident's own room. */
  channelId: string;
}

/** Counts one click on Approve or Reject. Late, double, foreign and forged clicks change nothing and are answered. */
export async function castVote(flow: Flow, ballot: Ballot): Promise<VoteOutcome> {
  const known = await findMitigation(flow.db, ballot.mitigationId);
  if (known === undefined || !(await isInItsRoom(flow, known, ballot.channelId)))
    return { kind: 'not-found' };
  // Group membership is read fresh, and before the transaction: no network inside one.
  const mayApprove = await approversOf(flow, known.service);
  return flow.db.transaction().execute((tx) => decide(flow, tx, { ballot, mayApprove }));
}

async function isInItsRoom(flow: Flow, mitigation: Mitigation, channelId: string): Promise<boolean> {
  if (mitigation.incident_id === null) return false;
  const incident = await findIncident(flow.db, mitigation.incident_id);
  return incident?.channel_id === channelId;
}

async function decide(
  flow: Flow,
  tx: Tx,
  { ballot, mayApprove }: { ballot: Ballot; mayApprove: string[] },
): Promise<VoteOutcome> {
  const now = flow.clock.now();
  const mitigation = await lockMitigation(tx, ballot.mitigationId);
  if (mitigation === undefined) return { kind: 'not-found' };
  const outcome = judgeVote({ mitigation, ...ballot, mayApprove, now });
  const counts = outcome.kind === 'approved' || outcome.kind === 'rejected';
  await audit(tx, {
    at: now,
    actor: ballot.voter,
    action: `mitigation.${ballot.choice}`,
    subject: `mitigation ${ballot.mitigationId}`,
    data: { outcome: outcome.kind, planHash: ballot.planHash },
  });
  if (!counts) return outcome;
  await insertVote(tx, { ...ballot, at: now });
  const votes = await votesOn(tx, mitigation.id);
  if (outcome.kind === 'approved' && approvedBy(mitigation, votes) === null) return outcome;
  await settleVote(tx, { mitigation, ballot, now, outcome: outcome.kind });
  return outcome;
}

async function settleVote(
  tx: Tx,
  vote: { mitigation: Mitigation; ballot: Ballot; now: Date; outcome: 'approved' | 'rejected' },
): Promise<void> {
  const { mitigation, ballot, now, outcome } = vote;
  const incidentId = mitigation.incident_id as number;
  const set = outcome === 'rejected' ? { settled_at: now, outcome: 'Rejected.' } : {};
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: outcome, set });
  const what = describeSteps(parsePlan(mitigation.plan).steps);
  const text = `${outcome === 'approved' ? 'Approved' : 'Rejected'}: ${what}.`;
  await addToTimeline(tx, { incidentId, at: now, kind: outcome, actor: ballot.voter, text });
  const jobs = outcome === 'approved' ? [runMitigation(mitigation, now)] : [];
  await enqueue(tx, [...jobs, showProposal(incidentId, mitigation.id, now), refreshCard(incidentId, now)]);
}

/** What to tell the person who clicked. */
export function describeVote(outcome: VoteOutcome, incidentId: number | null): string {
  switch (outcome.kind) {
    case 'approved':
      return 'Approved. It runs now; the receipt follows in this room.';
    case 'rejected':
      return 'Rejected. Nothing was changed.';
    case 'own-proposal':
      return 'You proposed this, so someone else must approve it. Nothing was changed.';
    case 'not-allowed': {
      const who =
        outcome.who.length === 0
          ? 'nobody (no approver is configured)'
          : outcome.who.map((u) => `<@${u}>`).join(', ');
      return `You may not decide this. Who may: ${who}. Nothing was changed.`;
    }
    case 'expired':
      return 'This proposal has expired. Propose it again. Nothing was changed.';
    case 'already-decided':
      return `This was decided before: it is ${outcome.status}. Nothing was changed.`;
    case 'wrong-plan':
      return 'This button does not belong to the plan as it was proposed. Nothing was changed.';
    case 'not-found':
      return `There is no such proposal in ${incidentId === null ? 'this room' : nameOf(incidentId)}. Nothing was changed.`;
  }
}
