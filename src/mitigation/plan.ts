import { z } from 'zod';
import { digestOf } from '../evidence/digest.ts';
import {
  isUnknown,
  keyIn,
  kindOf,
  type Setting,
  subjectOf,
  type TargetState,
  type Value,
  valueIn,
} from './serving.ts';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** One change of what a service serves. `from` is what the target said when the plan was made. */
const step = z.strictObject({ setting: z.string(), from: value, to: value });

/** The bot itself, where it proposes and votes. */
export const AUTOMATION = 'llm-incident';

/** Who has to agree before it runs. */
export const APPROVAL_CLASSES = ['standing', 'one', 'two', 'never-automatic'] as const;

/** What a team may approve in advance. */
export const STANDING_APPROVALS = ['disable', 'known-good', 'throttle-offender'] as const;

/** Whose wish it is: somebody's by name, the last known-good state, the opposite of an earlier mitigation. */
const wish = z.strictObject({
  kind: z.enum(['named', 'known-good', 'undo']),
  /** The mitigation that is taken back. */
  undoes: z.number().int().nullable(),
});

/** A shift of traffic that leads to the steps: shares of it, one after the other, each held to the gate. */
const shift = z.strictObject({
  /** "split:ARM". */
  setting: z.string(),
  /** Percent that the arm had when the plan was made. */
  from: z.number(),
  /** Percent, rising; the last is 100. */
  stages: z.array(z.number()).min(1),
  gate: z.strictObject({
    /** How much worse the new arm may be, as a share. */
    margin: z.number(),
    minCalls: z.number().int(),
    /** A stage that cannot be told by then is held. */
    minutes: z.number(),
  }),
});

const plan = z.strictObject({
  format: z.literal(3),
  incidentId: z.number().int().nullable(),
  service: z.string(),
  environment: z.string(),
  /** Which target carries it out, e.g. "webhook 127.0.0.1:9000". */
  target: z.string(),
  steps: z.array(step).min(1),
  /** The steps that lead back; empty where nobody knows what was served before. */
  undo: z.array(step),
  shift: shift.nullable(),
  wish,
  why: z.string(),
  blastRadius: z.string(),
  /** The rule whose recovery proves it, when one tripped. */
  rule: z.string().nullable(),
  /** ISO 8601: until then it can be approved. */
  expiresAt: z.iso.datetime(),
  approval: z.enum(APPROVAL_CLASSES),
  /** The standing approval that covers it and the hash of that; a person on call may run it alone. */
  standing: z.strictObject({ what: z.enum(STANDING_APPROVALS), hash: z.string() }).nullable(),
});

export type Step = z.infer<typeof step>;
export type Plan = z.infer<typeof plan>;
export type Shift = z.infer<typeof shift>;
export type Wish = z.infer<typeof wish>;
export type ApprovalClass = Plan['approval'];
export type StandingName = (typeof STANDING_APPROVALS)[number];

/** What a person or the ledger wants served. */
export interface Wanted {
  setting: Setting;
  to: Value;
}

export function parsePlan(stored: unknown): Plan {
  return plan.parse(stored);
}

/** What was approved is, byte for byte, what runs: SHA-256 over the plan's canonical JSON (RFC 8785). */
export function hashPlan(made: Plan): string {
  return digestOf(made);
}

/** The steps that lead from `current` to what is wanted; what is so already takes no step. */
export function stepsTo(wanted: readonly Wanted[], current: TargetState): Step[] {
  return wanted
    .map(({ setting, to }) => ({ setting: named(setting, current), from: valueIn(current, setting), to }))
    .filter((candidate) => candidate.from !== candidate.to);
}

/** A prompt without a name is the only one that the target has. */
function named(setting: Setting, current: TargetState): Setting {
  return setting === 'prompt' ? (keyIn(current, setting) ?? setting) : setting;
}

/** What the target serves now for the thing that the step changes; null also where it does not say. */
export function currentOf(taken: Step, state: TargetState): Value {
  return valueIn(state, taken.setting);
}

/** The steps whose setting is neither as it was when the plan was made nor as it is wanted, with what it is now. */
export function changedSince(steps: readonly Step[], state: TargetState): { step: Step; now: Value }[] {
  return steps
    .map((taken) => ({ step: taken, now: currentOf(taken, state) }))
    .filter(({ step: { from, to }, now }) => now !== from && now !== to);
}

/** Why a plan does not fit the world any more; null when it does. */
export function staleNote(changes: readonly { step: Step; now: Value }[]): string | null {
  const [first] = changes;
  if (first === undefined) return null;
  const { step: taken, now } = first;
  const was = describeSetting(taken.setting, taken.from);
  const is = describeSetting(taken.setting, now);
  const note = `The plan is stale: it was made when ${describeSteps([taken])} began at ${was}, now it is ${is}.`;
  return `${note} It was not sent.`;
}

/** Undoing is going back, step by step, in reverse order; what was unknown before cannot be gone back to. */
export function undoOf(steps: readonly Step[]): Step[] {
  return steps
    .filter(({ setting, from }) => !isUnknown(setting, from))
    .map(({ setting, from, to }) => ({ setting, from: to, to: from }))
    .reverse();
}

/** One line for people, e.g. "prompt answer v14 → v13". */
export function describeSteps(steps: readonly Step[]): string {
  return steps.map(describeStep).join('; ');
}

function describeStep({ setting, from, to }: Step): string {
  const subject = subjectOf(setting) ?? '';
  const change = `${describeValue(from)} → ${describeValue(to)}`;
  switch (kindOf(setting)) {
    case 'enabled':
      return to === true ? 'enable the feature' : 'disable the feature';
    case 'type':
      return `${to === true ? 'answer' : 'stop answering'} queries of type ${subject}`;
    case 'prompt':
      return `${`prompt ${subject}`.trim()} ${change}`;
    case 'model':
    case 'fallback':
      return `${setting} ${change}`;
    case 'split':
      return `${String(to)} % of the traffic to ${subject}${from === 0 ? '' : ` (${String(from)} % before)`}`;
    case 'limit':
      return to === null
        ? `lift the limit of ${subject} (${rate(from)} before)`
        : `limit ${subject} to ${rate(to)} (${from === null ? 'no limit' : rate(from)} before)`;
    case 'token-cap':
      return to === null
        ? `lift the cap of ${String(from)} output tokens`
        : `cap outputs at ${String(to)} tokens (${from === null ? 'no cap' : String(from)} before)`;
    case 'disclaimer':
      return to === null ? `remove the disclaimer "${String(from)}"` : `add the disclaimer "${String(to)}"`;
    case 'blocked':
      return `${to === true ? 'hold back outputs' : 'let outputs through again'} with "${subject}"`;
    default:
      return `${setting} ${change}`;
  }
}

const rate = (perMinute: Value) =>
  `${String(perMinute)} ${perMinute === 1 ? 'request' : 'requests'} a minute`;

/** A value by itself, for read-backs and lists. */
export function describeValue(shown: Value): string {
  if (shown === null) return 'unknown';
  if (typeof shown === 'boolean') return shown ? 'enabled' : 'disabled';
  return String(shown);
}

/** A value with the setting that it is of: what is null there is none, and a limit has a unit. */
export function describeSetting(setting: Setting, shown: Value): string {
  const subject = subjectOf(setting);
  if (shown === null) return isUnknown(setting, shown) ? 'unknown' : 'none';
  switch (kindOf(setting)) {
    case 'limit':
      return rate(shown);
    case 'split':
      return `${String(shown)} % to ${subject ?? ''}`;
    case 'token-cap':
      return `${String(shown)} tokens`;
    case 'blocked':
      return shown === true ? 'held back' : 'let through';
    case 'type':
      return shown === true ? 'answered' : 'not answered';
    default:
      return describeValue(shown);
  }
}

/** True when it takes back something that holds users off: switching on again, ending a fallback, letting through. */
export function isResume({ setting, to }: Pick<Step, 'setting' | 'to'>): boolean {
  const kind = kindOf(setting);
  if (kind === 'enabled' || kind === 'type') return to === true;
  return kind === 'fallback' ? to === 'none' : kind === 'blocked' && to === false;
}
