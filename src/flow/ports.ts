import type { RoomFile, VoteChoice } from '../db/schema.ts';
import type { LeafAction } from '../decision/playbook.ts';
import type { CharacteristicsView } from './decide/characteristics-view.ts';
import type { DutyView, PostmortemView } from './learn/duty-view.ts';
import type { FailingExample } from './learn/failing-examples.ts';
import type { DigestView } from './room/digest-view.ts';
import type { HomeView } from './room/home.ts';
import type { IncidentCard } from './room/incident-card.ts';
import type { StakeholderView } from './stakeholders/stakeholder-view.ts';

/** What the room can be told, in our words. The edge renders it; outside text in here is raw and escaped there. */
export type RoomMessage =
  | { kind: 'card'; card: IncidentCard }
  | { kind: 'proposal'; proposal: ProposalView }
  | { kind: 'receipt'; receipt: ReceiptView }
  | { kind: 'context'; context: ContextView }
  | { kind: 'tree'; tree: TreeView }
  | { kind: 'characteristics'; characteristics: CharacteristicsView }
  | { kind: 'lease'; lease: LeaseView }
  | { kind: 'stakeholder'; ask: StakeholderView }
  | { kind: 'digest'; digest: DigestView }
  | { kind: 'notice'; text: string; mention?: string[]; room?: string | undefined }
  | { kind: 'postmortem'; postmortem: PostmortemView }
  | { kind: 'duty'; duty: DutyView };

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
  samples: FailingExample[];
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
  /** Of these: the branch that the evidence picks, whose first step is shown beside. */
  picked?: string | null;
  /** The step that is asked now. */
  step: TreeStepView | null;
  /** Where the walk ended. */
  leaf: TreeLeafView | null;
}

/** Where a walk ended: what to do, and the plan that is prepared for it. */
export interface TreeLeafView {
  advice: string;
  action: LeafAction | null;
  symptomId?: string;
  /** The plan as it would be proposed now, in lines; or why there is none. Null: the advice alone. */
  plan?: { isReady: boolean; lines: string[] } | null;
}

export interface TreeStepView {
  symptomId: string;
  symptom: string;
  likelyCause: string;
  stepId: string;
  instruction: string;
  finding: string | null;
  /** The answer that the finding speaks for. */
  says?: 'yes' | 'no' | 'unknown' | null;
  answers: ('yes' | 'no' | 'unknown')[];
}

/** `why` there are none, for a sentence in brackets. */
export type FetchedFile =
  | { kind: 'fetched'; bytes: Buffer }
  | { kind: 'too-large' }
  | { kind: 'refused'; why: string };

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
  files: RoomFile[];
  /** Nothing was said: somebody came or left. */
  presence?: 'joined' | 'left';
}

/** Where people talk. Every failure is an ExternalError; a throttled call says how long in `retryAfterMs`. */
export interface Chat {
  /** Creates the room or finds the one that an earlier, unanswered attempt created (`retried`). */
  createRoom(room: WantedRoom): Promise<Room>;
  invite(channelId: string, userIds: string[]): Promise<void>;
  setTopic(channelId: string, topic: string): Promise<void>;
  /** For good: nothing can be read or written there afterwards. One that is archived already is no error. */
  archive(channelId: string): Promise<void>;
  /** Posts once per `key`: with `retried`, the channel is searched for the key before posting again. */
  post(message: OutgoingMessage): Promise<PostedRef>;
  edit(ref: PostedRef, message: RoomMessage): Promise<void>;
  upload(file: OutgoingFile): Promise<void>;
  /** The bytes of a shared file, by the address that came with it. */
  fetchFile(file: { url: string; largestBytes: number }): Promise<FetchedFile>;
  /** Only `userId` sees it. Never retried: a lost whisper is harmless. */
  whisper(whisper: { channelId: string; userId: string; text: string }): Promise<void>;
  /** Top-level messages of a channel since `oldest`, newest first, all pages; then `thread` for each root. */
  history(channelId: string): AsyncIterable<ChannelMessage & { replyCount: number }>;
  thread(channelId: string, rootTs: string): AsyncIterable<ChannelMessage>;
  membersOfGroup(groupId: string): Promise<string[]>;
  /** Where a message can be read; null when it is gone. */
  permalink(channelId: string, ts: string): Promise<string | null>;
  /** Shows App Home to that person. */
  publishHome(userId: string, home: HomeView): Promise<void>;
  /** Minutes east of UTC where that person is now. */
  zoneOffsetMinutes(userId: string): Promise<number>;
  /** Everybody who is in the channel now, page by page. */
  membersOfRoom(channelId: string): AsyncIterable<string>;
  /** The channel of the conversation with one person. */
  directChannel(userId: string): Promise<string>;
  displayName(userId: string): Promise<string>;
  /** The one with exactly this address; null when there is none. */
  userByEmail(email: string): Promise<string | null>;
  emailOf(userId: string): Promise<string | null>;
  /** False for bots, for who has left, and for who was never there. */
  isMember(userId: string): Promise<boolean>;
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
