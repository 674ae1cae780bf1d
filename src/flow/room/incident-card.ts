import type { Category, IncidentStatus, Severity } from '../../db/schema.ts';
import type { AskState, StakeholderRole } from '../../incident/stakeholder.ts';

/** The card as it is drawn, in our words; outside text in here is raw and escaped at the edge. */
export interface IncidentCard {
  incidentId: number;
  title: string;
  category: Category;
  severity: Severity;
  status: IncidentStatus;
  service: string | null;
  environment: string;
  private: boolean;
  drill: boolean;
  /** Estimated start; the exposure on the card is counted from here to containment. */
  startedAt: Date | null;
  declaredAt: Date;
  containedAt: Date | null;
  mitigatedAt: Date | null;
  resolvedAt: Date | null;
  now: Date;
  /** What fired with its numbers, e.g. "Quality score 0.71 against 0.86 (−17 %, n = 412)". */
  signal: string | null;
  /** The most suspicious change, or null when the ledger shows none. */
  likely: string | null;
  knownGood: string | null;
  /** Receipt of the page, or the reason why nobody was paged. */
  paged: string;
  acknowledgedBy: string | null;
  /** Somebody was paged and has not answered. */
  awaitsAnswer: boolean;
  containBy: Date | null;
  /** Mitigations that are in force or waiting, one line each. */
  mitigations: string[];
  /** What is on, whose it is and until when; null: for good, with the reason that it is kept for. */
  stillOn: { what: string; since: Date; owner: string | null; until: Date | null; kept: string | null }[];
  /** While it is said by too few: who said that a safety incident is a false alarm. */
  falseAlarm: string[];
  /** Who must acknowledge it, in which state that is, and who did when. */
  stakeholders: {
    role: StakeholderRole;
    state: AskState;
    dueAt: Date;
    by: string | null;
    at: Date | null;
    isLate: boolean;
  }[];
  /** Who does what. */
  roles: { commander: string | null; scribe: string | null; comms: string | null };
  lastUpdate: { by: string; at: Date; text: string; nextAt: Date | null } | null;
  /** What must still be done before the post-mortem is done. */
  missing: string[];
  /** From resolution on. */
  postmortem: { dueAt: Date; owner: string | null; signedBy: string[]; isSigned: boolean } | null;
  actions: CardAction[];
  /** What the button that rolls back names, such as "v13"; null where no state is known that is served no more. */
  rollBackTo: string | null;
  /** What the two changes would touch; null where nothing can be said. */
  blastRadius: { propose: string | null; contain: string | null };
  /** Without one a person switches it off where it runs. */
  hasTarget: boolean;
  /** Who decided, and why, not to contain it. */
  waived: { by: string; reason: string } | null;
  menu: CardMenuChoice[];
  /** Of these, those that run at one click of someone who may approve. */
  atOnce: CardAction[];
}

/** What the card's menu does; each is a command of that name. */
export type CardMenuChoice = 'page' | 'severity' | 'private' | 'tree' | 'update' | 'resolve';

/** Buttons of the card; the value of each is the incident's id. */
export type CardAction = 'propose' | 'contain' | 'acknowledge' | 'false_alarm' | 'resolve';
