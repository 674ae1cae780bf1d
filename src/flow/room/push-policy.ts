/** Who is meant by a push, in words of the room. */
export type Audience =
  | 'on-call'
  | 'approvers'
  | 'commander'
  | 'owner'
  | 'engineering-lead'
  | 'named'
  | 'nobody';

/**
 * Policy: what may push a phone, by a new top-level message with a mention, and nothing else. All else edits in place or
 * goes to the thread of the card; what mentions nobody and still stands in the room pushes no phone.
 */
export const PUSHES = {
  /** An incident opened. */
  opened: 'on-call',
  /** A proposal, when it is made and when it has waited; the fallback of an incident that is not contained. */
  'approval-needed': 'approvers',
  /** A page that nobody acknowledged. */
  unacknowledged: 'on-call',
  /** Live traffic says that a mitigation did not help, or that what was mitigated fires again. */
  'not-contained': 'commander',
  unproven: 'commander',
  /** A run or a shift of traffic that failed or stopped. */
  failed: 'commander',
  /** An update, a post-mortem or a lease that is due, and a stakeholder who has not answered. */
  'clock-breached': 'owner',
  /** One person ran it alone, or the ladder of an incident has come to its end. */
  'last-resort': 'engineering-lead',
  /** Somebody called them by `page`. */
  'called-by-name': 'named',
  contained: 'nobody',
} as const satisfies Record<string, Audience>;

export type Occasion = keyof typeof PUSHES;

/** Occasions whose people are looked up when they are told. */
export type Told = {
  [O in Occasion]: (typeof PUSHES)[O] extends 'on-call' | 'commander' ? O : never;
}[Occasion];

export interface Within {
  commander: string | null;
  onCall: readonly string[];
  owner: string | null;
  approvers: readonly string[];
  leads: readonly string[];
}

/**
 * Policy: where nobody of an audience is known, or only those who acted, the next nearest are told; whoever acted looks
 * already and is never mentioned. An opening is told to on-call or the owner alone.
 */
export function audienceOf(occasion: Told, people: Within, actors: readonly string[]): string[] {
  const { commander, onCall, owner, approvers, leads } = people;
  const one = (id: string | null) => (id === null ? [] : [id]);
  const chain: readonly (readonly string[])[] =
    occasion === 'opened'
      ? [onCall, one(owner)]
      : PUSHES[occasion] === 'commander'
        ? [one(commander), onCall, approvers, leads]
        : [onCall, one(owner), leads];
  const others = chain.map((ids) => [...new Set(ids)].filter((id) => !actors.includes(id)));
  if (occasion === 'opened' && onCall.length > 0) return others[0] ?? [];
  return others.find((ids) => ids.length > 0) ?? [];
}
