import type { VoteOutcome } from '../../mitigation/approval.ts';
import type { Flow } from '../flow.ts';
import { castVote } from './cast-vote.ts';

/**
 * Runs an open proposal on the word of one person. Policy: a sole responder need not wait for a second one at night, but
 * says why, wakes the engineering lead and is reviewed; the plan is as hash-bound, re-read and run once as any other.
 * `channelId`: the room it was asked in; a terminal asks in none.
 */
export async function breakGlass(
  flow: Flow,
  asked: { mitigationId: number; planHash: string; by: string; reason: string; channelId?: string },
): Promise<VoteOutcome> {
  const { mitigationId, planHash, by: voter, reason, channelId = null } = asked;
  return castVote(flow, { mitigationId, planHash, choice: 'break-glass', voter, channelId, reason });
}
