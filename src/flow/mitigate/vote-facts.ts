import type { Row } from '../../db/schema.ts';
import type { timelineOf } from '../../incident/incident-store.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import type { MitigationFacts } from '../../postmortem/mitigation-facts.ts';
import { reviewsOf } from './review-break-glass.ts';

type Facts = Pick<MitigationFacts, 'approvedBy' | 'breakGlass' | 'refused'>;

/** What the post-mortem tells of the votes on one mitigation. */
export function voteFacts(
  { id, proposed_by: proposer }: Pick<Mitigation, 'id' | 'proposed_by'>,
  votes: readonly Row<'vote'>[],
  timeline: Awaited<ReturnType<typeof timelineOf>>,
): Facts {
  const approvedBy = votes.filter(({ choice }) => choice === 'approve').map(({ voter }) => voter);
  const alone = votes.find(({ choice }) => choice === 'break-glass');
  const refusal = votes.find(({ choice }) => choice === 'reject');
  return {
    approvedBy,
    breakGlass:
      alone === undefined
        ? undefined
        : { by: alone.voter, reason: alone.reason ?? '', review: reviewsOf(timeline).get(id) },
    refused:
      refusal === undefined
        ? undefined
        : {
            by: refusal.voter,
            reason: refusal.reason ?? undefined,
            isWithdrawn: refusal.voter === proposer,
          },
  };
}
