import type { VoteOutcome } from '../../mitigation/approval.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import type { Flow } from '../flow.ts';
import { readElectorate } from './approvers.ts';
import { castVote } from './cast-vote.ts';
import { type Proposed, type Proposing, propose } from './propose.ts';

/**
 * A click on a button that has said what it will do. Policy: where a standing approval covers the plan, the click of
 * someone who may approve it, who is on call included, is the approval as well; anything else waits for its approvers.
 */
export async function proposeAtOnce(
  flow: Flow,
  asked: Proposing & { channelId: string },
): Promise<{ proposed: Proposed; vote: VoteOutcome | null }> {
  const proposed = await propose(flow, asked);
  if (proposed.kind !== 'proposed' && proposed.kind !== 'already-proposed') return { proposed, vote: null };
  const { mitigation } = proposed;
  if (parsePlan(mitigation.plan).standing === null) return { proposed, vote: null };
  const { mayApprove } = await readElectorate(flow, mitigation, { voters: [asked.by], alone: false });
  if (!mayApprove.includes(asked.by)) return { proposed, vote: null };
  const vote = await castVote(flow, {
    mitigationId: mitigation.id,
    planHash: mitigation.plan_hash,
    choice: 'approve',
    voter: asked.by,
    channelId: asked.channelId,
  });
  return { proposed, vote };
}
