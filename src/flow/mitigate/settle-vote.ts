import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import type { Approved } from '../../mitigation/approval.ts';
import { insertVote, keepReason, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice, refreshCard, runMitigation, showProposal, showReceipt } from '../effects.ts';
import type { Flow } from '../flow.ts';
import type { Vote } from './ballot.ts';
import { announceBreakGlass } from './break-glass-notice.ts';

const incidentOf = ({ mitigation }: Vote) => mitigation.incident_id as number;
const whatOf = ({ mitigation }: Vote) => describePlan(parsePlan(mitigation.plan));
const whyOf = ({ ballot }: Vote) => (ballot.reason?.trim() ? ` ${ballot.reason.trim()}` : '');

/** Enough people agreed, or one alone: it runs. */
export async function settleApproval(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  { approved, ...vote }: Vote & { approved: Approved },
): Promise<void> {
  const { mitigation, ballot, now } = vote;
  const incidentId = incidentOf(vote);
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: 'approved' });
  if (approved.path.kind === 'break-glass') await announceBreakGlass(flow, tx, vote);
  else {
    const under =
      approved.path.kind === 'standing' ? ` under the standing approval \`${approved.path.what}\`` : '';
    const text = `Approved${under}: ${whatOf(vote)}.`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'approved', actor: ballot.voter, text });
    if (approved.path.kind === 'standing') {
      const said = `Runs now, at one click${under}: ${whatOf(vote)}.`;
      await enqueue(tx, notice(incidentId, now, { text: said, aloud: true }));
    }
  }
  const shown = [showProposal(incidentId, mitigation.id, now), refreshCard(incidentId, now)];
  await enqueue(tx, [runMitigation(mitigation, now), ...shown]);
}

/** A vote that is one of several: everyone sees how many are still needed. */
export async function tellCount(tx: Tx, vote: Vote): Promise<void> {
  const { mitigation, ballot, now } = vote;
  const incidentId = incidentOf(vote);
  const text = `Approved, and one more must agree: ${whatOf(vote)}.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'vote', actor: ballot.voter, text });
  await enqueue(tx, showProposal(incidentId, mitigation.id, now));
}

/** It will not run: somebody who may decide refused it, or whoever proposed it withdrew it. */
export async function settleRejection(tx: Tx, vote: Vote, to: 'rejected' | 'withdrawn'): Promise<void> {
  const { mitigation, ballot, now } = vote;
  const incidentId = incidentOf(vote);
  await insertVote(tx, { ...ballot, at: now });
  const word = to === 'withdrawn' ? 'Withdrawn' : 'Rejected';
  const by = to === 'withdrawn' ? ' by whoever proposed it' : '';
  const set = { settled_at: now, outcome: `${word}${by}.${whyOf(vote)}` };
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to, set });
  const text = `${word}: ${whatOf(vote)}.${whyOf(vote)}`;
  await addToTimeline(tx, { incidentId, at: now, kind: to, actor: ballot.voter, text });
  await enqueue(tx, [showProposal(incidentId, mitigation.id, now), refreshCard(incidentId, now)]);
}

/** The reason of a rejection that counted already. */
export async function keepRejectionReason(tx: Tx, vote: Vote): Promise<void> {
  const { mitigation, ballot, now } = vote;
  const incidentId = incidentOf(vote);
  const reason = (ballot.reason ?? '').trim();
  await keepReason(tx, { mitigationId: mitigation.id, voter: ballot.voter, reason });
  const set = { outcome: `Rejected. ${reason}` };
  await moveMitigation(tx, { id: mitigation.id, from: ['rejected'], to: 'rejected', set });
  const text = `Why it was rejected: ${whatOf(vote)}. ${reason}`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'rejected', actor: ballot.voter, text });
  await enqueue(tx, showProposal(incidentId, mitigation.id, now));
}

/** The world changed: this plan is never sent. */
export async function settleStale(tx: Tx, vote: Vote, outcome: string): Promise<void> {
  const { mitigation, now } = vote;
  const incidentId = incidentOf(vote);
  const set = { settled_at: now, outcome };
  await moveMitigation(tx, { id: mitigation.id, from: ['proposed'], to: 'stale', set });
  await addToTimeline(tx, { incidentId, at: now, kind: 'mitigation-stale', actor: null, text: outcome });
  const shown = [showProposal(incidentId, mitigation.id, now), showReceipt(incidentId, mitigation.id, now)];
  await enqueue(tx, [...shown, refreshCard(incidentId, now)]);
}
