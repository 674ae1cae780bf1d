import { nameOf } from '../../incident/incident.ts';
import type { Called, VoteOutcome } from '../../mitigation/approval.ts';

/** What to tell the person who clicked. */
export function describeVote(outcome: VoteOutcome, incidentId: number | null): string {
  switch (outcome.kind) {
    case 'approved': {
      if (outcome.alone) return describeAlone(outcome.called ?? 'nobody');
      const under = outcome.standing === null ? '' : ` under the standing approval \`${outcome.standing}\``;
      return `Approved${under}. It runs now; the receipt follows in this room.`;
    }
    case 'counted':
      return `Your approval counts: ${outcome.have} of ${outcome.needed}. It runs when ${more(outcome)} approved. Nothing was changed yet.`;
    case 'already-voted':
      return `You approved this before; that counts once: ${outcome.have} of ${outcome.needed}. It runs when ${more(outcome)} approved.`;
    case 'rejected':
      return 'Rejected. Nothing was changed.';
    case 'withdrawn':
      return 'Withdrawn. Nothing was changed.';
    case 'reason-kept':
      return 'Your reason is kept with the rejection.';
    case 'no-reason':
      return 'Say why you run it alone: `mitigate break-glass NUMBER REASON`. Nothing was changed.';
    case 'glass-not-needed':
      return 'Your approval is enough: press *Approve*. Nothing was changed.';
    case 'never-alone':
      return 'Nobody sets this back on alone: two people approve it. Nothing was changed.';
    case 'stale': {
      const next =
        outcome.replacedBy === null
          ? 'Propose it again.'
          : `Proposal ${outcome.replacedBy} takes its place; look at that one.`;
      return `${outcome.what} ${next} Nothing was changed.`;
    }
    case 'not-released':
      return `${outcome.why} Nothing was changed.`;
    case 'own-proposal':
      return 'You proposed this, so someone else must approve it. Nothing was changed.';
    case 'not-allowed':
      return `You may not decide this. Who may: ${named(outcome.who)}. Nothing was changed.`;
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

function describeAlone(called: Called): string {
  return `It runs now on your word alone; the receipt follows in this room. ${WHO_IS_CALLED[called]}, and the post-mortem asks for a review of it.`;
}

/** What it costs to run something alone, said before and after. */
export const WHO_IS_CALLED: Readonly<Record<Called, string>> = {
  lead: 'The engineering lead is called',
  approvers: 'No other engineering lead is named, so whoever else may approve is called',
  nobody: 'Nobody else is named in the configuration, so nobody is called',
};

function named(who: readonly string[]): string {
  return who.length === 0 ? 'nobody (no approver is configured)' : who.map((u) => `<@${u}>`).join(', ');
}

function more({ have, needed }: { have: number; needed: number }): string {
  const missing = needed - have;
  return missing === 1 ? 'one more person has' : `${missing} more people have`;
}
