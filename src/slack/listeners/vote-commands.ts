import { castVote } from '../../flow/mitigate/cast-vote.ts';
import { findMitigation } from '../../mitigation/mitigation-store.ts';
import type { Asked } from '../../mitigation/wanted.ts';
import { type Ask, voteAnswer } from './ask.ts';

const CHOICES = { reject: 'reject', withdraw: 'reject', 'break-glass': 'break-glass' } as const;

/** `mitigate reject | withdraw | break-glass NUMBER REASON`: the button's click with a reason. */
export async function voteByCommand(
  { flow, userId: voter, channelId }: Pick<Ask, 'flow' | 'userId' | 'channelId'>,
  { kind, mitigationId, reason }: Extract<Asked, { reason: string }>,
): Promise<string> {
  const known = await findMitigation(flow.db, mitigationId);
  if (kind === 'withdraw' && known !== undefined && known.proposed_by !== voter)
    return `Only whoever proposed it withdraws it. \`mitigate reject ${mitigationId} REASON\` refuses it. Nothing was changed.`;
  const ballot = {
    mitigationId,
    planHash: known?.plan_hash ?? '',
    choice: CHOICES[kind],
    voter,
    channelId,
    reason,
  };
  return voteAnswer(await castVote(flow, ballot), null);
}
