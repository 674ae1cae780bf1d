import type { VoteChoice } from '../../db/schema.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';

/** One click or command on a proposal. */
export interface Ballot {
  mitigationId: number;
  planHash: string;
  choice: VoteChoice;
  voter: string;
  /** Where the button was; it must be the incident's own room. Null: outside of Slack, which only a terminal is. */
  channelId: string | null;
  /** Why it is refused, or run alone, in the person's words. */
  reason?: string;
}

/** A ballot that changes something, inside the transaction that decided on it. */
export interface Vote {
  mitigation: Mitigation;
  ballot: Ballot;
  now: Date;
}
