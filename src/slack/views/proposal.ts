import type { ProposalView } from '../../flow/ports.ts';
import { mention, person, slackDate, truncate } from '../mrkdwn.ts';
import { type ButtonSpec, buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { factLine, outsideLine } from './outside-text.ts';
import { utcTime } from './time-span.ts';

/** A planned change with all that its approver needs; once settled, its outcome in place of the buttons. */
export function renderProposal(proposal: ProposalView): Rendered {
  const summary = outsideLine(proposal.summary, 300);
  const open = proposal.state === 'open';
  return rendered(fallback(proposal, summary), [
    section(`*Proposal ${proposal.mitigationId}: ${summary}*`),
    section(
      `*Now:* ${factLine(proposal.from, 500)}`,
      `*Then:* ${factLine(proposal.to, 500)}`,
      `*Why:* ${outsideLine(proposal.why, 500)}`,
      `*Who is affected:* ${outsideLine(proposal.blastRadius, 400)}`,
      `*To undo it:* ${outsideLine(proposal.undo, 300)}`,
      `*Rehearsed:* ${outsideLine(proposal.rehearsal, 300)}`,
      open ? `*Approvals:* ${approvalsOf(proposal)}` : null,
    ),
    ...(open ? buttons(decisions(proposal)) : [section(`*${outcomeOf(proposal)}*`)]),
    smallPrint(responsibility(proposal, open)),
  ]);
}

// The value binds the click to the plan that was shown: a vote for another plan is refused.
function decisions(proposal: ProposalView): ButtonSpec[] {
  const value = `${proposal.mitigationId}:${proposal.planHash}`;
  return [
    { label: 'Approve', actionId: 'approve', value, style: 'primary' },
    { label: 'Reject', actionId: 'reject', value, style: 'danger' },
  ];
}

function approvalsOf({ approvals: { have, needed }, standing }: ProposalView): string {
  if (standing !== null)
    return `the standing approval \`${standing}\` covers it: one click of someone who may`;
  const who = needed === 1 ? 'someone who did not propose it' : `${needed} people who did not propose it`;
  return `${have} of ${needed}, by ${who}`;
}

function outcomeOf(proposal: ProposalView): string {
  return proposal.outcome === null ? 'Settled.' : outsideLine(proposal.outcome, 500);
}

const VOTED = { approve: 'approved', reject: 'rejected' } as const;

function responsibility(proposal: ProposalView, open: boolean): string {
  const parts = [
    `Proposed by ${truncate(person(proposal.proposedBy), 80)}`,
    ...proposal.votes.map(({ voter, choice }) => `${VOTED[choice]} by ${truncate(person(voter), 80)}`),
    open ? `may approve: ${approversOf(proposal.approvers)}` : null,
    open ? `expires ${slackDate(proposal.expiresAt)}` : null,
    `plan ${factLine(proposal.planHash.slice(0, 12), 12)}`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

function approversOf(approvers: readonly string[]): string {
  if (approvers.length === 0) return 'nobody is configured';
  return truncate(approvers.map((approver) => truncate(mention(approver), 80)).join(', '), 2000);
}

function fallback(proposal: ProposalView, summary: string): string {
  const subject = `Incident ${proposal.incidentId}, proposal ${proposal.mitigationId}`;
  if (proposal.state === 'settled') return `${subject}: ${summary} – ${outcomeOf(proposal)}`;
  const change = `${factLine(proposal.from, 150)} → ${factLine(proposal.to, 150)}`;
  return `${subject} waits for approval until ${utcTime(proposal.expiresAt)}: ${summary} (${change})`;
}
