import type { Category, IncidentStatus, Severity, VoteChoice } from '../db/schema.ts';

/** What the room can be told, in our words. The edge renders it; outside text in here is raw and escaped there. */
export type RoomMessage =
  | { kind: 'card'; card: IncidentCard }
  | { kind: 'proposal'; proposal: ProposalView }
  | { kind: 'receipt'; receipt: ReceiptView }
  | { kind: 'context'; context: ContextView }
  | { kind: 'tree'; tree: TreeView }
  | { kind: 'lease'; lease: LeaseView }
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
  /** What is on, whose it is and until when; null: for good, with the reason that it is kept for. */
  stillOn: { what: string; since: Date; owner: string | null; until: Date | null; kept: string | null }[];
  /** While it is said by too few: who said that a safety incident is a false alarm. */
  falseAlarm: string[];
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
  /** Who may approve it and has not; groups stay groups. */
  approvers: string[];
  /** Of those who may approve it and have not: who is on call now. */
  onCall: string[];
  /** Why it cannot be approved as things are, and what helps; null when enough people may. */
  obstacle: string | null;
  /** One person alone may run it, with a reason. */
  mayBreakGlass: boolean;
  /** So many people approved it, of so many that must. */
  approvals: { have: number; needed: number };
  /** The standing approval under which one click of someone who may is enough. */
  standing: string | null;
  rehearsal: RehearsalView;
  expiresAt: Date;
  state: 'open' | 'settled';
  votes: { voter: string; choice: VoteChoice; reason: string | null }[];
  /** What became of it, shown in place of the buttons. */
  outcome: string | null;
}

/** What replaying frozen calls said of a plan: a result, that it runs, or why there is none; one sentence each. */
export interface RehearsalView {
  kind: 'result' | 'running' | 'none';
  text: string;
  /** For the button: "fixes 18 of 20, breaks 0 of 20". */
  short: string | null;
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

/** What the owner of a lease is asked when it ends. */
export interface LeaseView {
  mitigationId: number;
  incidentId: number;
  summary: string;
  since: Date;
  ended: Date | null;
  /** Who is asked; mentioned while it asks. */
  owners: string[];
  state: 'asks' | 'kept' | 'over';
  /** New end, null for good; and who kept it, why. */
  until: Date | null;
  kept: { by: string; reason: string } | null;
  /** What became of it when it is over. */
  outcome: string | null;
  /** The open proposal that takes it back. */
  undoProposal: number | null;
}

/** The thread under the card: what changed and failing examples (none for private incidents). */
export interface ContextView {
  incidentId: number;
  changes: { component: string; from: string; to: string; at: Date; actor: string | null }[];
  samples: { input: string; output: string; score: number | null; formatOk: boolean | null }[];
  samplesWithheld: string | null;
  /** Past incidents like this one, the most alike first. */
  past: PastLikeThis[];
}

/** Which incident was like this one, in what, and what live traffic proved to help then; outside text is raw. */
export interface PastLikeThis {
  name: string;
  title: string;
  at: Date;
  common: string[];
  worked: string[];
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
  /** The channel of the conversation with one person. */
  directChannel(userId: string): Promise<string>;
  displayName(userId: string): Promise<string>;
  /** The one with exactly this address; null when there is none. */
  userByEmail(email: string): Promise<string | null>;
  emailOf(userId: string): Promise<string | null>;
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
  /** Text, or the bytes of a picture. */
  content: string | Buffer;
  /** What a picture shows, for who cannot see it. */
  altText?: string;
  comment: string;
  /** Under this message of the channel. */
  threadTs?: string;
  retried: boolean;
}
