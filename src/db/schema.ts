// Longer than the budget on purpose: the hand-written types of every table, in the order of the migrations.
import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable } from 'kysely';

/** jsonb: written as JSON text, read as the value. */
export type Json<T> = ColumnType<T, string, string>;

export interface JobTable {
  id: GeneratedAlways<number>;
  kind: string;
  /** Jobs of one lane run one after the other, in order of id. */
  lane: string | null;
  dedupe_key: string | null;
  payload: Json<Record<string, unknown>>;
  state: Generated<'ready' | 'done' | 'dead'>;
  /** Clock port. */
  run_at: Date;
  /** Database clock: the lease while it runs, the back-off after a failure. */
  held_until: Date | null;
  held_by: string | null;
  attempts: Generated<number>;
  last_error: string | null;
  created_at: Generated<Date>;
  finished_at: Date | null;
}

export interface InboxTable {
  key: string;
  kind: string;
  body: Json<Record<string, unknown>>;
  received_at: Generated<Date>;
  held_until: Date;
  attempts: Generated<number>;
  state: Generated<'received' | 'done' | 'dead'>;
  last_error: string | null;
}

export interface CronSlotTable {
  key: string;
  claimed_at: Generated<Date>;
}

export interface SettingTable {
  key: string;
  value: Json<unknown>;
}

export interface CallTable {
  id: GeneratedAlways<number>;
  trace_id: string;
  span_id: string;
  /** False while only an evaluation of this call has arrived. */
  span_seen: boolean;
  service: string;
  environment: string;
  at: Date;
  request_model: string | null;
  response_model: string | null;
  parameters: Json<Record<string, number | string>>;
  prompt_name: string | null;
  prompt_version: string | null;
  prompt_sha256: string | null;
  user_id: string | null;
  session_id: string | null;
  endpoint: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  output_chars: number | null;
  cost_usd: number | null;
  latency_ms: number | null;
  error: string | null;
  quality: number | null;
  format_ok: boolean | null;
  received_at: Generated<Date>;
  /** Rises with every change of the call or of what was said about it; roll-ups read on from the last one. */
  changed: Generated<number>;
}

/** What the text of a call shows, kept when the text itself is pruned. Null: not known. */
export interface CallFeatureTable {
  call_id: number;
  input_chars: number | null;
  refused: boolean | null;
  hedged: boolean | null;
  contradicts: boolean | null;
  unsupported: boolean | null;
  words: Json<number[]> | null;
}

/** How relevant the chunks were that were retrieved for a call, as it said itself; only calls that carry scores. */
export interface CallRetrievalTable {
  call_id: number;
  chunks: number;
  least: number;
  mean: number;
  best: number;
}

export interface CallRollupTable {
  service: string;
  environment: string;
  span: 'minute' | 'hour';
  start: Date;
  calls: number;
  stats: Json<Record<string, unknown>>;
  /** Rises with every new count; 0: it must be counted again. */
  changed: Generated<number>;
}

export interface SafetyEventTable {
  service: string;
  environment: string;
  rule: string;
  call_id: number;
  /** When the call ended. */
  at: Date;
  /** When the bot saw it; windows follow this one. */
  noted_at: Date;
  user_id: string | null;
  detail: string;
}

export interface CallEvaluationTable {
  call_id: number;
  name: string;
  value: number | null;
  label: string | null;
  explanation: string | null;
  evaluator: string | null;
  at: Date;
}

export interface CallContentTable {
  call_id: number;
  input: string | null;
  output: string | null;
  frozen_for: number | null;
}

export interface EvaluationTable {
  id: GeneratedAlways<number>;
  service: string;
  environment: string;
  rule: string;
  at: Date;
  state: string;
  value: number | null;
  baseline: number | null;
  n: number;
  baseline_n: number;
  lower: number | null;
  upper: number | null;
  threshold: number | null;
  past_bound: boolean;
  /** An early warning: it opens nothing. */
  warning: Generated<boolean>;
  detail: string | null;
  source: Generated<string>;
}

export interface SignalTable {
  service: string;
  environment: string;
  rule: string;
  state: string;
  since: Date;
  past_bound_since: Date | null;
  incident_id: number | null;
  evaluation_id: number;
  warning: Generated<boolean>;
  /** The newest polls, oldest first: 1 past the threshold, 0 not. */
  recent: Generated<string>;
  /** Since when it has been past the threshold without a break. */
  past_since: Date | null;
  /** Since when it has been clear of the closing threshold without a break. */
  quiet_since: Date | null;
  /** End of the last episode. */
  closed_at: Date | null;
}

/** What is wrong with the bot's own sources, rules and jobs: told once in the ops channel while it lasts. */
export interface TroubleTable {
  key: string;
  problem: string;
  since: Date;
  last_at: Date;
  told_at: Date | null;
}

/** Answers of the check before delivery, by minute. */
export interface CheckCountTable {
  service: string;
  environment: string;
  minute: Date;
  verdict: string;
  reason: string;
  n: number;
}

export interface CanaryRunTable {
  id: GeneratedAlways<number>;
  service: string;
  environment: string;
  canary: string;
  at: Date;
  output: string | null;
  error: string | null;
  latency_ms: number | null;
  deviates: boolean;
  detail: string | null;
}

/** What was spent of a daily budget, in the budget's own unit. */
export interface BudgetTable {
  key: string;
  day: string;
  used: number;
}

/** An alert of Alertmanager and the incident that it opened or joined. */
export interface AlertTable {
  fingerprint: string;
  starts_at: Date;
  ended_at: Date | null;
  incident_id: number | null;
  /** The key under which Alertmanager's PagerDuty receiver opens an incident for it. */
  page_key: string | null;
}

export type Category = 'outage' | 'quality' | 'cost' | 'safety';
export type Severity = 'sev1' | 'sev2' | 'sev3';
export type IncidentStatus =
  | 'triage'
  | 'open'
  | 'contained'
  | 'mitigated'
  | 'resolved'
  | 'closed'
  | 'declined'
  | 'merged';

export interface IncidentTable {
  id: GeneratedAlways<number>;
  dedup_key: string;
  title: string;
  category: Category;
  severity: Severity;
  status: IncidentStatus;
  service: string | null;
  environment: string;
  private: boolean;
  source: 'rule' | 'person';
  rule: string | null;
  symptom: string | null;
  declared_by: string | null;
  commander: string | null;
  scribe: string | null;
  comms: string | null;
  /** The incident that it went into, when it was merged. */
  merged_into: number | null;
  channel_id: string | null;
  channel_name: string | null;
  drill: Generated<boolean>;
  created_at: Date;
}

/** What people told the others, and when they want to speak again. */
export interface IncidentUpdateTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  at: Date;
  said_by: string;
  known: string;
  doing: string | null;
  next_at: Date | null;
  /** Names the form or command, so that the same one delivered twice says it once. */
  origin: string;
}

export interface MilestoneTable {
  incident_id: number;
  name: string;
  at: Date;
  recorded_at: Date;
  recorded_by: string;
}

export interface IncidentEventTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  at: Date;
  kind: string;
  actor: string | null;
  text: string;
  data: Json<Record<string, unknown>>;
}

export interface LedgerTable {
  id: GeneratedAlways<number>;
  service: string;
  environment: string;
  component: string;
  state: Json<Record<string, string | null>>;
  previous: Json<Record<string, string | null>> | null;
  at: Date;
  source: string;
  actor: string | null;
  recorded_at: Date;
  previous_digest: string;
  digest: string;
}

/** A change that was reported under an id of the sender's: the same again is not taken twice. */
export interface ReportedChangeTable {
  service: string;
  environment: string;
  id: string;
  received_at: Date;
}

export interface EvidenceTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  kind: string;
  at: Date;
  data: Json<Record<string, unknown>>;
  digest: string;
}

/** A file that was shared in a room, as Slack describes it. */
export interface RoomFile {
  name: string;
  permalink: string | null;
  id?: string;
  /** Where its bytes are, for who has the bot's token. */
  url?: string;
  bytes?: number;
  /** Why there is nothing to fetch, for a sentence in brackets. */
  gone?: string;
}

export interface RoomMessageTable {
  channel_id: string;
  ts: string;
  incident_id: number;
  thread_ts: string | null;
  user_id: string;
  text: string;
  files: Json<RoomFile[]>;
  edited_ts: string | null;
  deleted_at: Date | null;
  /** When it was said, on the clock that the timeline uses. */
  said_at: Date;
  recorded_at: Date;
}

/** A message that somebody marked for the timeline: by emoji, which can be taken off again, or by the shortcut. */
export interface TimelineMarkTable {
  incident_id: number;
  channel_id: string;
  ts: string;
  marked_by: string;
  /** The last three: a reaction that tells a lesson. */
  via: 'emoji' | 'shortcut' | 'good' | 'bad' | 'luck';
  author: string | null;
  /** As it was when it was marked; in the incident's own room the recorded message counts instead. */
  text: string | null;
  permalink: string | null;
  said_at: Date;
  is_on: boolean;
  /** Slack's time of the last change: what comes late does not undo it. */
  changed_ts: string;
}

/** Who came into a room and who left it. */
export interface RoomPresenceTable {
  channel_id: string;
  user_id: string;
  kind: 'joined' | 'left';
  ts: string;
  incident_id: number;
  at: Date;
}

/** The one message about an incident in its category's digest channel; `shown` is the digest of what it says. */
export interface DigestPostTable {
  incident_id: number;
  channel_id: string;
  ts: string;
  shown: string;
  posted_at: Date;
}

/** Who has looked at App Home, and the digest of what was last shown there. */
export interface HomeViewerTable {
  user_id: string;
  opened_at: Date;
  page: number;
  shown: string | null;
  shown_at: Date | null;
}

export interface PostedMessageTable {
  key: string;
  incident_id: number | null;
  channel_id: string;
  ts: string;
  posted_at: Date;
}

/** The topic of a room, and when its card was last drawn again because time had passed. */
export interface RoomCardTable {
  incident_id: number;
  topic: string;
  drawn_at: Date;
  /** What is costly to look up for the card; when, and after which entry of the timeline. */
  measured: Json<Record<string, unknown>> | null;
  measured_at: Date | null;
  measured_event: number | null;
}

export interface ClockTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  kind: string;
  due_at: Date;
  state: Generated<'running' | 'met' | 'fired' | 'stopped'>;
  settled_at: Date | null;
}

export interface PageTable {
  incident_id: number;
  purpose: 'page' | 'ticket';
  state: 'pending' | 'sent' | 'skipped' | 'failed';
  reason: string;
  requested_at: Date;
  settled_at: Date | null;
  receipt: Json<Record<string, unknown>> | null;
}

/** People who were paged by name, once a key. */
export interface PeoplePageTable {
  incident_id: number;
  key: string;
  /** Slack ids, of people and of groups. */
  people: Json<string[]>;
  text: string;
  state: 'pending' | 'sent' | 'skipped' | 'failed';
  requested_at: Date;
  settled_at: Date | null;
  outcome: string | null;
  receipt: Json<Record<string, unknown>> | null;
}

/** Addresses as Slack last gave them, so that a page by name can leave while Slack is away. */
export interface PersonEmailTable {
  slack_id: string;
  email: string;
  seen_at: Date;
}

/** The newest that PagerDuty said about one of its incidents, by aspect; `at` is PagerDuty's own time. */
export interface PagerStateTable {
  pagerduty_id: string;
  aspect: string;
  value: string;
  actor: string | null;
  at: Date;
}

/** Digests of notes that were written into PagerDuty from here, which come back as news, and of events taken. */
export interface PagerNoteTable {
  pagerduty_id: string;
  digest: string;
  written_at: Date;
}

export interface DecisionStepTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  symptom: string;
  step: string;
  finding: string | null;
  answer: string | null;
  decided_by: string | null;
  at: Date;
  /** Edition of the tree that asked; null before editions were kept. */
  tree: string | null;
}

/** One answer to one of the five questions of an incident; the newest counts, none is changed or deleted. */
export interface CharacteristicTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  question: string;
  text: string;
  /** A person; null: the evidence. */
  answered_by: string | null;
  /** What the answer was read from. */
  evidence: Json<Record<string, unknown>>;
  at: Date;
}

export type MitigationStatus =
  | 'proposed'
  | 'approved'
  | 'running'
  | 'applied'
  | 'proven'
  | 'unproven'
  | 'not-contained'
  | 'failed'
  | 'stale'
  | 'rejected'
  | 'withdrawn'
  | 'expired'
  | 'needs-human'
  | 'reverted';

export interface MitigationTable {
  id: GeneratedAlways<number>;
  incident_id: number | null;
  service: string;
  environment: string;
  plan: Json<Record<string, unknown>>;
  plan_hash: string;
  status: MitigationStatus;
  proposed_by: string;
  proposed_at: Date;
  expires_at: Date;
  started_at: Date | null;
  /** Database clock: when the last request left, so that another waits until that one cannot still land. */
  last_sent_at: Date | null;
  applied_at: Date | null;
  settled_at: Date | null;
  prove_by: Date | null;
  outcome: string | null;
  proof: Json<Record<string, unknown>> | null;
  lease_owner: string | null;
  lease_until: Date | null;
  /** When its owner is told next; null: never. */
  lease_next_at: Date | null;
  /** How often its owner was told since the lease began. */
  lease_told: Generated<number>;
  /** The end that its owner was last asked about. */
  lease_asked_for: Date | null;
  /** Who keeps it on purpose, and why. */
  kept_by: string | null;
  kept_reason: string | null;
  /** The later mitigation that lies over it, as long as that one is in force. */
  replaced_by: number | null;
  /** When those who may approve were paged, because nobody had answered. */
  nudged_at: Date | null;
  /** When the run found its approval still good, before its first request left. */
  confirmed_at: Date | null;
}

/** A stage of a shift of traffic: applied, then held to its gate. */
export interface ShiftStageTable {
  mitigation_id: number;
  number: number;
  from_percent: number;
  to_percent: number;
  /** It takes the one before it back. */
  is_back: boolean;
  status: 'running' | 'gating' | 'passed' | 'failed' | 'held' | 'stopped' | 'done';
  started_at: Date;
  applied_at: Date | null;
  settled_at: Date | null;
  /** Who wants it to stop at this stage. */
  stop_by: string | null;
  /** Calls of the smaller arm when its gate last decided nothing. */
  looked_at: Generated<number>;
  arms: Json<Record<string, unknown>> | null;
}

/** `break-glass`: one person runs it alone and says why. */
export type VoteChoice = 'approve' | 'reject' | 'break-glass';

export interface VoteTable {
  mitigation_id: number;
  voter: string;
  choice: VoteChoice;
  plan_hash: string;
  reason: string | null;
  at: Date;
}

/** What caused an incident, as somebody said; the newest counts. */
export interface RootCauseTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  cause: string;
  said_by: string;
  at: Date;
}

/** Somebody stands for this root cause being dealt with. */
export interface SignOffTable {
  root_cause_id: number;
  person: string;
  note: string | null;
  at: Date;
}

/** Somebody said that a safety incident is a false alarm. */
export interface FalseAlarmTable {
  incident_id: number;
  person: string;
  reason: string;
  at: Date;
}

export interface AuditTable {
  seq: number;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  data: Json<Record<string, unknown>>;
  previous_digest: string;
  digest: string;
}

export interface PostmortemTable {
  incident_id: number;
  markdown: string;
  /** What the record lacked when it was assembled, beside what was left to do. */
  missing: Json<string[]>;
  assembled_at: Date;
  posted_at: Date | null;
}

export interface PostmortemDutyTable {
  incident_id: number;
  /** Slack id of who must write it; null: nobody is known. */
  owner: string | null;
  chosen_by: string | null;
  /** Who was told last that it is theirs. */
  told: string | null;
  due_at: Date;
  /** When its owner is reminded next; null once it is closed. */
  next_at: Date | null;
  archive_step: 'asked' | 'announced' | 'writing' | 'archiving' | 'archived' | 'failed' | null;
  /** When the next step of archiving is due. */
  archive_at: Date | null;
}

export interface EvalCaseTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  call_id: number | null;
  definition: Json<Record<string, unknown>>;
  proven: boolean;
  created_at: Date;
  /** Who made it; null when it was proposed from the frozen calls. */
  added_by: string | null;
  /** Who took it out; it stays, so that nothing proposes it again. */
  dropped_by: string | null;
}

/** How the export of an incident to one place went. */
export interface IncidentExportTable {
  incident_id: number;
  exporter: string;
  /** When it last went well, and what was done then. */
  exported_at: Date | null;
  receipt: string | null;
  url: string | null;
  /** What is in the way, since when, and when the room was told. */
  problem: string | null;
  failing_since: Date | null;
  told_at: Date | null;
}

/** Where an action item stands outside, such as the issue that was made of it. */
export interface ActionLinkTable {
  event_id: number;
  exporter: string;
  url: string;
  label: string;
}

/** The proven cases of past incidents, replayed once against a state that a service came to serve. */
export interface ImmunityRunTable {
  id: GeneratedAlways<number>;
  service: string;
  environment: string;
  state_key: string;
  state: Json<{ prompts: Record<string, string>; model: string | null }>;
  /** What changed, in words. */
  change: string;
  result: Json<Record<string, unknown>> | null;
  asked_at: Date;
  settled_at: Date | null;
}

/** One version of what the built-in target serves; the newest counts. */
export interface ServingTable {
  service: string;
  environment: string;
  version: number;
  /** By setting: what differs from the configuration. */
  settings: Json<Record<string, string | number | boolean | null>>;
  changed_at: Date;
  changed_by: string;
  plan_hash: string;
  idempotency_key: string;
}

/** A prompt version that a service registered; its text never changes. */
export interface PromptTextTable {
  service: string;
  /** Empty: the prompt of a service that names none. */
  name: string;
  version: string;
  sha256: string;
  text: string | null;
  registered_at: Date;
}

/** A recorded call that is replayed for an incident: chosen once, so that all candidates answer the same ones. */
export interface RehearsalCallTable {
  incident_id: number;
  call_id: number;
  side: 'failing' | 'good';
}

/** One serving state that is rehearsed for an incident. */
export interface RehearsalTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  /** Digest of the state: each is rehearsed once. */
  state_key: string;
  state: Json<{ prompts: Record<string, string>; model: string | null }>;
  role: 'current' | 'known-good' | 'backup' | 'proposed';
  /** For people: "v13", "gpt-4o". */
  name: string;
  status: Generated<'waiting' | 'running' | 'done' | 'not-rehearsed'>;
  /** The job that works on it; the same job goes on with it after a restart. */
  job_id: number | null;
  result: Json<Record<string, unknown>> | null;
  /** Why it was not rehearsed. */
  reason: string | null;
  asked_at: Date;
  settled_at: Date | null;
}

/** What a replayed call was judged to be; no text of it. */
export interface RehearsalReplayTable {
  rehearsal_id: number;
  call_id: number;
  side: 'failing' | 'good';
  verdict: 'pass' | 'fail' | 'unjudged';
  kind: 'answered' | 'failed' | 'timed-out';
  note: string | null;
  cost_usd: number | null;
}

export interface MitigationRehearsalTable {
  mitigation_id: number;
  rehearsal_id: number;
}

/** A stakeholder who must acknowledge an incident by a time. */
export interface StakeholderAskTable {
  incident_id: number;
  role: 'legal' | 'compliance' | 'comms' | 'product';
  /** Slack ids of people and groups, first the one who is asked first; empty: nobody is configured. */
  contacts: Json<string[]>;
  /** Of these, who was asked so far. */
  asked: Json<string[]>;
  asked_at: Date;
  due_at: Date;
  /** Steps of the escalation that are done. */
  step: number;
  /** When the next step is due; null: none comes. */
  next_at: Date | null;
  acknowledged_by: string | null;
  acknowledged_at: Date | null;
  breached_at: Date | null;
}

/** A notice to those who received bad outputs: what is approved is the very text and the very people that are sent. */
export interface ExposureNoticeTable {
  id: GeneratedAlways<number>;
  incident_id: number;
  text: string;
  users: Json<string[]>;
  digest: string;
  status: 'drafted' | 'approved' | 'sent' | 'failed' | 'withdrawn';
  drafted_by: string;
  drafted_at: Date;
  /** Who approved or withdrew it. */
  decided_by: string | null;
  decided_at: Date | null;
  settled_at: Date | null;
  outcome: string | null;
  receipt: Json<Record<string, unknown>> | null;
}

/** A public room that was left when its incident became private. */
export interface FormerRoomTable {
  channel_id: string;
  incident_id: number;
  left_by: string;
  left_at: Date;
}

export interface Database {
  job: JobTable;
  inbox: InboxTable;
  cron_slot: CronSlotTable;
  setting: SettingTable;
  call: CallTable;
  call_evaluation: CallEvaluationTable;
  call_feature: CallFeatureTable;
  call_retrieval: CallRetrievalTable;
  call_rollup: CallRollupTable;
  safety_event: SafetyEventTable;
  call_content: CallContentTable;
  evaluation: EvaluationTable;
  signal: SignalTable;
  trouble: TroubleTable;
  check_count: CheckCountTable;
  canary_run: CanaryRunTable;
  budget: BudgetTable;
  alert: AlertTable;
  incident: IncidentTable;
  incident_update: IncidentUpdateTable;
  milestone: MilestoneTable;
  incident_event: IncidentEventTable;
  ledger: LedgerTable;
  reported_change: ReportedChangeTable;
  evidence: EvidenceTable;
  room_message: RoomMessageTable;
  timeline_mark: TimelineMarkTable;
  room_presence: RoomPresenceTable;
  digest_post: DigestPostTable;
  home_viewer: HomeViewerTable;
  posted_message: PostedMessageTable;
  room_card: RoomCardTable;
  clock: ClockTable;
  page: PageTable;
  people_page: PeoplePageTable;
  person_email: PersonEmailTable;
  pager_state: PagerStateTable;
  pager_note: PagerNoteTable;
  decision_step: DecisionStepTable;
  characteristic: CharacteristicTable;
  mitigation: MitigationTable;
  shift_stage: ShiftStageTable;
  vote: VoteTable;
  root_cause: RootCauseTable;
  sign_off: SignOffTable;
  false_alarm: FalseAlarmTable;
  audit: AuditTable;
  postmortem: PostmortemTable;
  postmortem_duty: PostmortemDutyTable;
  eval_case: EvalCaseTable;
  immunity_run: ImmunityRunTable;
  incident_export: IncidentExportTable;
  action_link: ActionLinkTable;
  serving: ServingTable;
  prompt_text: PromptTextTable;
  rehearsal_call: RehearsalCallTable;
  rehearsal: RehearsalTable;
  rehearsal_replay: RehearsalReplayTable;
  mitigation_rehearsal: MitigationRehearsalTable;
  stakeholder_ask: StakeholderAskTable;
  exposure_notice: ExposureNoticeTable;
  former_room: FormerRoomTable;
}

export type Row<T extends keyof Database> = Selectable<Database[T]>;
export type NewRow<T extends keyof Database> = Insertable<Database[T]>;
