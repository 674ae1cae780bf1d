import type { MitigationFacts, RootCause } from './mitigation-facts.ts';
import type { Chart, SharedFile } from './pictures.ts';

/** Everything one post-mortem is made of. All texts are raw; assembling the document redacts them. */
export interface PostmortemRecord {
  readonly incident: IncidentFacts;
  readonly milestones: readonly Milestone[];
  readonly signal?: SignalFacts | undefined;
  readonly impact?: Impact | undefined;
  /** What the ledger says changed before the incident, oldest first or not. */
  readonly changes: readonly Change[];
  readonly answers: Answers;
  readonly events: readonly TimelineEvent[];
  readonly messages: readonly RoomMessage[];
  readonly decisionPath?: DecisionPath | undefined;
  readonly mitigations: readonly MitigationFacts[];
  readonly rootCause?: RootCause | undefined;
  readonly dataPoints: DataPoints;
  /** Drawn from the measurements. */
  readonly charts?: readonly Chart[] | undefined;
  /** What went well, badly or by luck, as people said it, oldest first. */
  readonly lessons?: readonly Lesson[] | undefined;
  readonly actionItems: readonly ActionItem[];
  readonly evalCases: readonly EvalCaseFacts[];
  /** The lead's recorded reason for having no eval case; it takes the place of one. */
  readonly noEvalCaseReason?: { readonly text: string; readonly by: string } | undefined;
  /** Who signed the document as it is. */
  readonly signedOff?: readonly { readonly by: string; readonly at: Date }[] | undefined;
}

export interface IncidentFacts {
  /** As people say it: `INC-12`. */
  readonly id: string;
  readonly title: string;
  readonly summary?: string | undefined;
  readonly category: 'outage' | 'quality' | 'cost' | 'safety';
  readonly severity: string;
  readonly service: string;
  readonly environment: string;
  readonly private: boolean;
  readonly status: string;
  /** Who or what opened it: `rule`, `declared`, `pagerduty`, `flag`… */
  readonly source: string;
  readonly rule?: string | undefined;
}

export const milestoneNames = [
  'started',
  'detected',
  'declared',
  'acknowledged',
  'contained',
  'mitigated',
  'resolved',
  'closed',
] as const;
export type MilestoneName = (typeof milestoneNames)[number];

export interface Milestone {
  readonly name: MilestoneName;
  readonly at: Date;
}

/** What the rule measured when it fired. `n` and `baselineN` count samples; the bounds are the interval's. */
export interface SignalFacts {
  readonly rule: string;
  readonly value: number;
  readonly baseline?: number | undefined;
  readonly n: number;
  readonly baselineN?: number | undefined;
  readonly lower?: number | undefined;
  readonly upper?: number | undefined;
  readonly threshold?: number | undefined;
  readonly unit?: string | undefined;
}

export interface Impact {
  readonly text?: string | undefined;
  readonly affectedRequests?: number | undefined;
  readonly totalRequests?: number | undefined;
  readonly exposedUsers?: number | undefined;
}

export interface Change {
  readonly component: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly at: Date;
}

/** The five post-mortem questions, in the order they are asked. */
export const questions = {
  whatHappened: 'What happened?',
  whenStarted: 'When did it start?',
  whyNotCaught: 'Why was it not caught before users met it?',
  whyHardToDiagnose: 'What made it hard to diagnose?',
  whatPrevents: 'What prevents recurrence?',
} as const;
export type QuestionKey = keyof typeof questions;

/** `by` is `evidence` when the bot answered from the record, else a Slack user id. */
export interface Answer {
  readonly text: string;
  readonly by: string;
}
export type Answers = { readonly [key in QuestionKey]?: Answer | undefined };

/** What the machine did or saw. `kind` is one word such as `signal`, `vote`, `mitigation`. */
export interface TimelineEvent {
  readonly at: Date;
  readonly kind: string;
  readonly text: string;
  readonly actor?: string | undefined;
}

/** One Slack message of the room in mrkdwn, with its latest text. `ts` and `threadTs` are Slack's. */
export interface RoomMessage {
  readonly ts: string;
  /** When it was said, where that is not the time in `ts`. */
  readonly at?: Date | undefined;
  readonly threadTs?: string | undefined;
  readonly userId: string;
  readonly text: string;
  readonly editedTs?: string | undefined;
  readonly deletedAt?: Date | undefined;
  readonly files: readonly SharedFile[];
  readonly permalink?: string | undefined;
}

export interface DecisionPath {
  readonly symptom: string;
  readonly steps: readonly DecisionStep[];
  readonly leaf?: string | undefined;
  /** Edition of the tree that was walked. */
  readonly tree?: string | undefined;
}

export interface DecisionStep {
  readonly question: string;
  readonly finding: string;
  readonly answer: string;
  readonly by: string;
  readonly at: Date;
}

/** The five data points, frozen at declaration. A missing one is absent, not empty. */
export interface DataPoints {
  readonly prompt?: PromptPoint | undefined;
  readonly model?: ModelPoint | undefined;
  readonly samples?: readonly Sample[] | undefined;
  /** The two hours before declaration. */
  readonly drift?: readonly DriftPoint[] | undefined;
  /** Whether it could have been seen before, with the reasons. */
  readonly driftVerdict?: { readonly verdict: string; readonly because: readonly string[] } | undefined;
  /** In which ways the calls ended, and how many of each were frozen. */
  readonly strata?: readonly Stratum[] | undefined;
  readonly inputShift?: readonly InputShift[] | undefined;
}

export interface PromptPoint {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly rendered?: string | undefined;
  /** What made the calls of the incident, most calls first. */
  readonly variants?: readonly Variant[] | undefined;
}

export interface Variant {
  /** "answer v14, model-2" */
  readonly name: string;
  readonly sha256: string | undefined;
  readonly calls: number;
}

export interface ModelPoint {
  readonly requested: string;
  readonly served: string;
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>;
  /** Since when the calls had shown this model. */
  readonly servedSince?: Date | undefined;
}

export interface Sample {
  readonly callId: string;
  readonly verdict: 'bad' | 'good';
  readonly input: string;
  readonly output: string;
  readonly score?: number | undefined;
  readonly formatOk?: boolean | undefined;
}

export interface DriftPoint {
  readonly at: Date;
  readonly rule: string;
  readonly value: number | null;
  readonly baseline?: number | undefined;
  readonly n: number;
  readonly state: string;
}

export interface InputShift {
  readonly metric: string;
  readonly before: number | string;
  readonly after: number | string;
  readonly n: number;
  /** "Cramér's V 0.41", where it was tested. */
  readonly effect?: string | undefined;
  /** Adjusted for all that was tested. */
  readonly p?: number | undefined;
  readonly note?: string | undefined;
}

export interface Stratum {
  readonly kind: string;
  readonly total: number;
  readonly sampled: number;
}

export interface Lesson {
  readonly kind: 'good' | 'bad' | 'luck';
  readonly text: string;
  readonly by: string;
  readonly permalink?: string | undefined;
}

export interface ActionItem {
  readonly id?: number | undefined;
  readonly text: string;
  readonly owner?: string | undefined;
  readonly dueAt?: Date | undefined;
  readonly done?: boolean | undefined;
  /** Where it is worked on, such as an issue. */
  readonly link?: { readonly url: string; readonly label: string } | undefined;
}

export interface EvalCaseFacts {
  readonly description: string;
  readonly proven: boolean;
}
