import type { Category, IncidentStatus, Severity } from '../db/schema.ts';

/** What the room can be told, in our words. The edge renders it; outside text in here is raw and escaped there. */
export type RoomMessage =
  | { kind: 'card'; card: IncidentCard }
  | { kind: 'proposal'; proposal: ProposalView }
  | { kind: 'receipt'; receipt: ReceiptView }
  | { kind: 'context'; context: ContextView }
  | { kind: 'tree'; tree: TreeView }
  | { kind: 'notice'; text: string; mention?: string[] }
  | { kind: 'postmortem'; summary: string; missing: string[] };

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
  containBy: Date | null;
  /** Mitigations that are in force or waiting, one line each. */
  mitigations: string[];
  /** What the room is still missing after resolution. */
  missing: string[];
  actions: CardAction[];
  /** Of these, those that run at one click of someone who may approve. */
  atOnce: CardAction[];
}

/** Buttons of the card; the value of each is the incident's id. */
export type CardAction = 'propose' | 'contain' | 'acknowledge' | 'false_alarm' | 'resolve';

export interface ProposalView {
  mitigationId: number;
  planHash: string;
  incidentId: number;
  summary: string;
  from: string;
  to: string;
  why: string;
  blastRadius: string;
  undo: string;
  proposedBy: string;
  /** Who may approve it and has not. */
  approvers: string[];
  /** So many people approved it, of so many that must. */
  approvals: { have: number; needed: number };
  /** The standing approval under which one click of someone who may is enough. */
  standing: string | null;
  rehearsal: string;
  expiresAt: Date;
  state: 'open' | 'settled';
  votes: { voter: string; choice: 'approve' | 'reject' }[];
  /** What became of it, shown in place of the buttons. */
  outcome: string | null;
}

export interface ReceiptView {
  mitigationId: number;
  summary: string;
  verdict:
    | 'proving'
    | 'proven'
    | 'unproven'
    | 'not-contained'
    | 'failed'
    | 'stale'
    | 'needs-human'
    | 'reverted';
  lines: string[];
  next: string | null;
}

/** The thread under the card: what changed and failing examples (none for private incidents). */
export interface ContextView {
  incidentId: number;
  changes: { component: string; from: string; to: string; at: Date; actor: string | null }[];
  samples: { input: string; output: string; score: number | null; formatOk: boolean | null }[];
  samplesWithheld: string | null;
}

export interface TreeView {
  incidentId: number;
  /** The symptoms to choose from when none is chosen yet. */
  choices: { id: string; symptom: string; suggested: string | null }[];
  /** The step that is asked now. */
  step: TreeStepView | null;
  /** Where the walk ended. */
  leaf: { advice: string; action: 'propose' | 'contain' | null } | null;
}

export interface TreeStepView {
  symptomId: string;
  symptom: string;
  likelyCause: string;
  stepId: string;
  instruction: string;
  finding: string | null;
  answers: ('yes' | 'no' | 'unknown')[];
}

export interface PostedRef {
  channelId: string;
  ts: string;
}

export interface ChannelMessage {
  ts: string;
  threadTs: string | null;
  userId: string;
  text: string;
  editedTs: string | null;
  files: { name: string; permalink: string | null }[];
}

/** Where people talk. Every failure is an ExternalError; a throttled call says how long in `retryAfterMs`. */
export interface Chat {
  /** Creates the room or finds the one that an earlier, unanswered attempt created (`retried`). */
  createRoom(room: WantedRoom): Promise<Room>;
  invite(channelId: string, userIds: string[]): Promise<void>;
  /** Posts once per `key`: with `retried`, the channel is searched for the key before posting again. */
  post(message: OutgoingMessage): Promise<PostedRef>;
  edit(ref: PostedRef, message: RoomMessage): Promise<void>;
  upload(file: OutgoingFile): Promise<void>;
  /** Only `userId` sees it. Never retried: a lost whisper is harmless. */
  whisper(whisper: { channelId: string; userId: string; text: string }): Promise<void>;
  /** Top-level messages of a channel since `oldest`, newest first, all pages; then `thread` for each root. */
  history(channelId: string): AsyncIterable<ChannelMessage & { replyCount: number }>;
  thread(channelId: string, rootTs: string): AsyncIterable<ChannelMessage>;
  membersOfGroup(groupId: string): Promise<string[]>;
  displayName(userId: string): Promise<string>;
  readonly botUserId: string;
}

export interface WantedRoom {
  incidentId: number;
  title: string;
  date: Date;
  private: boolean;
  topic: string;
  retried: boolean;
}

export interface Room {
  channelId: string;
  channelName: string;
}

export interface OutgoingMessage {
  key: string;
  channelId: string;
  message: RoomMessage;
  threadTs?: string;
  retried: boolean;
}

export interface OutgoingFile {
  key: string;
  channelId: string;
  filename: string;
  title: string;
  content: string;
  comment: string;
  retried: boolean;
}

/** Who is woken. A page may come twice (same key) but is never lost. */
export interface Pager {
  page(request: PageRequest): Promise<PageReceipt>;
  /** Takes over the open incident that another system opened under one of these keys, instead of paging anew. */
  adopt(keys: readonly string[], request: PageRequest): Promise<Adopted>;
  /** Writes a note on the incident of a receipt, unless the same one is there. */
  note(receipt: PageReceipt, text: string): Promise<void>;
  acknowledge(receipt: PageReceipt): Promise<void>;
  resolve(receipt: PageReceipt): Promise<void>;
  onCall(escalationPolicyId: string): Promise<{ name: string; email: string | null; level: number }[]>;
}

export interface PageRequest {
  key: string;
  title: string;
  details: string;
  urgency: 'high' | 'low';
  serviceId: string | null;
  escalationPolicyId: string | null;
  link: string | null;
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

/** `cannot-look`: without a REST token nobody can say what is open. */
export type Adopted = { kind: 'adopted'; receipt: PageReceipt } | { kind: 'none' | 'cannot-look' };
