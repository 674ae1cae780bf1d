import type { Flow } from '../../flow/flow.ts';
import { describeProposal } from '../../flow/mitigate/describe-proposal.ts';
import { describeVote } from '../../flow/mitigate/describe-vote.ts';
import type { Proposed } from '../../flow/mitigate/propose.ts';
import { maySee } from '../../flow/stakeholders/may-see.ts';
import type { Incident } from '../../incident/incident.ts';
import { nameOf } from '../../incident/incident.ts';
import { findByChannel, findIncident } from '../../incident/incident-store.ts';
import type { VoteOutcome } from '../../mitigation/approval.ts';
import { escapeLine } from '../mrkdwn.ts';
import type { Rendered } from '../views/blocks.ts';

/** One thing that a person asks of the bot by a slash command. */
export interface Ask {
  flow: Flow;
  /** What follows the subcommand. */
  text: string;
  userId: string;
  channelId: string;
  /** The incident whose room this is, or null elsewhere. */
  incident: Incident | null;
  /** Names this very command: delivered again it is the same. */
  origin: string;
}

/** Mrkdwn, or a message with buttons; seen only by whoever asked. */
export type Answer = string | Rendered;

/** An answer as a message has it. */
export const messageFor = (answer: Answer): Pick<Rendered, 'text'> & Partial<Rendered> =>
  typeof answer === 'string' ? { text: answer } : answer;

export type Subcommand = (ask: Ask) => Promise<Answer>;

export const NOT_IN_A_ROOM =
  'This works in an incident’s room. `/llm-incident list` shows the open ones, `/llm-incident declare` opens one.';

/** Wraps a subcommand that needs an incident's room. */
export function inRoom(run: (ask: Ask & { incident: Incident }) => Promise<Answer>): Subcommand {
  return async (ask) => (ask.incident === null ? NOT_IN_A_ROOM : run({ ...ask, incident: ask.incident }));
}

export async function incidentOfChannel(flow: Flow, channelId: string): Promise<Incident | null> {
  return (await findByChannel(flow.db, channelId)) ?? null;
}

/** The incident that "INC-12" or "12" names; a private one from inside its room, and for who may see it anywhere. */
export async function namedIncident(ask: Ask): Promise<Incident | null> {
  const id = Number(/^(?:inc-)?(\d{1,9})$/i.exec(ask.text.trim())?.[1]);
  if (!Number.isSafeInteger(id)) return ask.incident;
  const found = await findIncident(ask.flow.db, id);
  if (found === undefined) return null;
  const isInside = found.channel_id === ask.channelId;
  return isInside || (await maySee(ask.flow, found, ask.userId)) ? found : null;
}

/** What a command or a button answers about an incident that has ended. */
export function over(incident: Incident): string {
  return `${nameOf(incident.id)} is ${incident.status}; nothing was changed.`;
}

/** What came of a click; what changed meanwhile is outside text. */
export function voteAnswer(outcome: VoteOutcome, incidentId: number | null): string {
  const shown = outcome.kind === 'stale' ? { ...outcome, what: escapeLine(outcome.what) } : outcome;
  return describeVote(shown, incidentId);
}

/** What came of a proposal; the versions and models in it are outside text, people are not. */
export function proposalAnswer(outcome: Proposed): string {
  if (outcome.kind === 'not-released') return describeProposal(outcome);
  return escapeLine(describeProposal(outcome));
}
