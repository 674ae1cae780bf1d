/** Who is woken. A page may come twice (same key) but is never lost. */
export interface Pager {
  /** The same for a service that has an access of its own; the default one for all others. */
  of(service: string | null): Pager;
  /** False with a routing key alone: nothing can be asked then, and nobody paged by name. */
  readonly canAsk: boolean;
  page(request: PageRequest): Promise<PageReceipt>;
  /** Pages exactly these people: on the open incident where that wakes them, else on one of their own. */
  pagePeople(request: PeopleRequest): Promise<PeopleReceipt>;
  /** Takes over the open incident that another system opened under one of these keys, instead of paging anew. */
  adopt(keys: readonly string[], request: PageRequest): Promise<Adopted>;
  /** Writes a note on the incident of a receipt, unless the same one is there. */
  note(receipt: PageReceipt, text: string): Promise<void>;
  acknowledge(receipt: PageReceipt): Promise<void>;
  resolve(receipt: PageReceipt): Promise<void>;
  /** Hands the incident over to these PagerDuty users. */
  reassign(receipt: PageReceipt, userIds: readonly string[]): Promise<void>;
  /** False when the account has no priority of that name. */
  prioritise(receipt: PageReceipt, priorityName: string): Promise<boolean>;
  /** Who is on call now by the policy, of every level. */
  onCall(escalationPolicyId: string): Promise<OnCallPerson[]>;
  user(id: string): Promise<PagerUser | null>;
  /** The user in whose name the bot writes; null without one. */
  self(): Promise<PagerUser | null>;
  /** The one with exactly this address, in any case; null when there is none. */
  userByEmail(email: string): Promise<PagerUser | null>;
  /** Whom PagerDuty has notified for an incident, and how; oldest first. */
  notifications(pagerdutyId: string): Promise<PagerNotification[]>;
  /** The keys under which an incident was opened, its own and those of its alerts. */
  keysOf(pagerdutyId: string): Promise<string[]>;
  /** How an incident of PagerDuty stands now. */
  look(pagerdutyId: string): Promise<PagerLook>;
  /** The whole text of a note. */
  noteText(pagerdutyId: string, noteId: string): Promise<string | null>;
}

export interface PagerUser {
  id: string;
  name: string;
  email: string | null;
}

export interface OnCallPerson extends PagerUser {
  level: number;
}

export interface PagerNotification {
  at: Date;
  userId: string;
  name: string;
  /** Such as `push_notification`, `sms`, `phone` or `email`. */
  how: string;
}

export interface PeopleRequest {
  /** PagerDuty users. */
  userIds: readonly string[];
  /** What they read. */
  message: string;
  /** PagerDuty's id of the page that may be open. */
  on: string | null;
  /** What is opened for those whom it would not wake. */
  own: PageRequest;
}

export interface PeopleReceipt {
  /** Asked to respond on the incident with this id. */
  on: string | null;
  asked: string[];
  /** The incident that was opened for the others. */
  own: PageReceipt | null;
  assigned: string[];
  /** Who cannot be paged because the bot writes in their name. */
  left: string[];
}

export interface PageRequest {
  key: string;
  title: string;
  details: string;
  urgency: 'high' | 'low';
  serviceId: string | null;
  escalationPolicyId: string | null;
  link: string | null;
  /** The name of the account's priority; null for none. */
  priority: string | null;
  /** An earlier ticket for the same incident, to be raised instead of opening a second one. */
  raise: PageReceipt | null;
}

export interface PageReceipt {
  via: 'rest' | 'events';
  key: string;
  pagerdutyId: string | null;
  url: string | null;
  /** People who are on call for it, as PagerDuty said, empty when it could not be asked. */
  notified: string[];
  /** Another system opened it. */
  adopted?: true;
}

export interface PagerLook {
  status: string;
  urgency: string;
  key: string | null;
  url: string | null;
  priority: string | null;
  assignees: string[];
  mergedInto: { id: string; url: string | null } | null;
  /** Who brought it to this status, and when; null for PagerDuty itself, and where it does not say. */
  by: { id: string; name: string; isPerson: boolean } | null;
  since: Date | null;
  /** By the real clock, as PagerDuty's own times are. */
  askedAt: Date;
}

/** `cannot-look`: without a REST token nobody can say what is open. */
export type Adopted = { kind: 'adopted'; receipt: PageReceipt } | { kind: 'none' | 'cannot-look' };
