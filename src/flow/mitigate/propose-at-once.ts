import { enqueue } from '../../db/jobs.ts';
import type { VoteOutcome } from '../../mitigation/approval.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { showProposal } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { readElectorate } from './approvers.ts';
import { castVote } from './cast-vote.ts';
import { type Proposed, type Proposing, propose } from './propose.ts';

type AtOnce = Proposing & { channelId: string };

/**
 * A click on a button that has said what it will do. Policy: where a standing approval covers the plan, the click of
 * someone who may approve it, who is on call included, is the approval as well; anything else waits for its approvers.
 * It is shown when that is known, so that nobody is asked for what runs already; a click that was cut short is taken up
 * again, and shows it then.
 */
export async function proposeAtOnce(
  flow: Flow,
  asked: AtOnce,
): Promise<{ proposed: Proposed; vote: VoteOutcome | null }> {
  const proposed = await propose(flow, { ...asked, isShownLater: true });
  if (proposed.kind !== 'proposed' && proposed.kind !== 'already-proposed') return { proposed, vote: null };
  const { mitigation } = proposed;
  const vote = await approveByTheSameClick(flow, mitigation, asked);
  await enqueue(flow.db, showProposal(asked.incident.id, mitigation.id, flow.clock.now()));
  return { proposed, vote };
}

async function approveByTheSameClick(
  flow: Flow,
  mitigation: Mitigation,
  { by, channelId }: AtOnce,
): Promise<VoteOutcome | null> {
  if (parsePlan(mitigation.plan).standing === null) return null;
  const { mayApprove } = await readElectorate(flow, mitigation, { voters: [by], alone: false });
  if (!mayApprove.includes(by)) return null;
  return castVote(flow, {
    mitigationId: mitigation.id,
    planHash: mitigation.plan_hash,
    choice: 'approve',
    voter: by,
    channelId,
  });
}
