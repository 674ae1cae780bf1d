import type { ProposalView } from '../../flow/ports.ts';
import { mention, person, slackDate, truncate } from '../mrkdwn.ts';
import {
  type ButtonSpec,
  buttons,
  optionalSection,
  type Rendered,
  rendered,
  section,
  smallPrint,
} from './blocks.ts';
import { factLine, outsideLine } from './outside-text.ts';
import { utcTime } from './time-span.ts';

/** A planned change with all that its approver needs; once settled, its outcome in place of the buttons. */
export function renderProposal(proposal: ProposalView): Rendered {
  const summary = outsideLine(proposal.summary, 300);
  const open = proposal.state === 'open';
  return rendered(fallback(proposal, summary), [
    section(`*Proposal ${proposal.mitigationId}: ${summary}*`),
    section(
      ...changeLines(proposal),
      `*Why:* ${outsideLine(proposal.why, 500)}`,
      `*Who is affected:* ${outsideLine(proposal.blastRadius, 400)}`,
      `*To undo it:* ${outsideLine(proposal.undo, 300)}`,
      rehearsalLine(proposal),
      open ? `*Approvals:* ${approvalsOf(proposal)}` : null,
    ),
    // Apart from what was written by others, so that a cut text never loses a person.
    ...optionalSection(
      open ? `*May approve:* ${whoMay(proposal) || 'nobody else is configured'}` : null,
      proposal.obstacle === null ? null : `*${factLine(proposal.obstacle, 500)}*`,
    ),
    ...(open ? buttons(decisions(proposal)) : [section(`*${outcomeOf(proposal)}*`)]),
    smallPrint(responsibility(proposal, open)),
  ]);
}

// A phone is small: what the headline says in these words is not said again.
function changeLines({ summary, from, to }: ProposalView): string[] {
  if (summary.endsWith(`${from} → ${to}`)) return [];
  return [`*Now:* ${factLine(from, 500)}`, `*Then:* ${factLine(to, 500)}`];
}

// The value binds the click to the plan that was shown: a vote for another plan is refused.
function decisions(proposal: ProposalView): ButtonSpec[] {
  const value = `${proposal.mitigationId}:${proposal.planHash}`;
  return [
    { label: approveLabel(proposal), actionId: 'approve', value, style: 'primary' },
    { label: 'Reject / Withdraw', actionId: 'reject', value, style: 'danger' },
    ...(proposal.mayBreakGlass ? [{ label: 'Break glass…', actionId: 'break_glass', value }] : []),
  ];
}

function rehearsalLine({ rehearsal: { kind, text } }: ProposalView): string {
  return `*${kind === 'none' ? 'Not rehearsed' : 'Rehearsed'}:* ${factLine(text, 400)}`;
}

// Whoever decides on a lock screen sees what it fixes and breaks where the thumb is. A button shows plain text.
function approveLabel({ rehearsal: { short } }: ProposalView): string {
  return short === null ? 'Approve' : `Approve (${short})`;
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

/** What a vote is in the small print; whoever proposed it withdraws it. */
function votedOf(proposal: ProposalView, vote: ProposalView['votes'][number]): string {
  const who = truncate(person(vote.voter), 80);
  if (vote.choice === 'approve') return `approved by ${who}`;
  const why = vote.reason === null ? '' : ` (${outsideLine(vote.reason, 200)})`;
  if (vote.choice === 'break-glass') return `run alone, by break-glass, by ${who}${why}`;
  return `${vote.voter === proposal.proposedBy ? 'withdrawn' : 'rejected'} by ${who}${why}`;
}

function responsibility(proposal: ProposalView, open: boolean): string {
  const parts = [
    `Proposed by ${truncate(person(proposal.proposedBy), 80)}`,
    ...proposal.votes.map((vote) => votedOf(proposal, vote)),
    open ? `expires ${slackDate(proposal.expiresAt)}` : null,
    `plan ${factLine(proposal.planHash.slice(0, 12), 12)}`,
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

// The mention is what tells their phones: once, when the proposal is posted. Whoever proposed it is not among them.
function whoMay({ approvers, onCall }: ProposalView): string {
  const listed = (ids: readonly string[]) => ids.map((id) => truncate(mention(id), 80)).join(', ');
  const others = approvers.filter((id) => !onCall.includes(id));
  const parts = [
    others.length === 0 ? null : truncate(listed(others), 1500),
    onCall.length === 0 ? null : truncate(`on call now: ${listed(onCall)}`, 500),
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function fallback(proposal: ProposalView, summary: string): string {
  const subject = `INC-${proposal.incidentId}, proposal ${proposal.mitigationId}`;
  if (proposal.state === 'settled') return `${subject}: ${summary} – ${outcomeOf(proposal)}`;
  const arrow = `${factLine(proposal.from, 150)} → ${factLine(proposal.to, 150)}`;
  const change = summary.endsWith(arrow) ? '' : ` (${arrow})`;
  const asked = truncate(whoMay(proposal), 800);
  const waits = `${subject} waits for approval until ${utcTime(proposal.expiresAt)}: ${summary}${change}`;
  return asked === '' ? waits : `${asked}: ${waits}`;
}
