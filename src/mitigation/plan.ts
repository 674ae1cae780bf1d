import { z } from 'zod';
import { digestOf } from '../evidence/digest.ts';

/** One change of what a service serves. `from` is what the target said when the plan was made. */
const step = z.strictObject({
  action: z.enum(['prompt', 'model', 'disable', 'enable']),
  promptName: z.string().nullable(),
  from: z.union([z.string(), z.boolean()]).nullable(),
  to: z.union([z.string(), z.boolean()]),
});

const plan = z.strictObject({
  format: z.literal(1),
  incidentId: z.number().int().nullable(),
  service: z.string(),
  environment: z.string(),
  /** Which target carries it out, e.g. "webhook 127.0.0.1:9000". */
  target: z.string(),
  steps: z.array(step).min(1),
  why: z.string(),
  blastRadius: z.string(),
  /** The rule whose recovery proves it, when one tripped. */
  rule: z.string().nullable(),
});

export type Step = z.infer<typeof step>;
export type Plan = z.infer<typeof plan>;

/** What a person or the ledger wants served. */
export type Wanted =
  | { action: 'prompt'; promptName: string | null; to: string }
  | { action: 'model'; to: string }
  | { action: 'disable' };

/** What a target says that it serves. Null: the target does not say. */
export interface TargetState {
  /** Version by prompt name; the name "" stands for the only prompt of a target that names none. */
  prompts: Record<string, string>;
  model: string | null;
  enabled: boolean | null;
}

export function parsePlan(value: unknown): Plan {
  return plan.parse(value);
}

/** What was approved is, byte for byte, what runs: SHA-256 over the plan's canonical JSON (RFC 8785). */
export function hashPlan(value: Plan): string {
  return digestOf(value);
}

/** The steps that lead from `current` to what is wanted; what is so already takes no step. */
export function stepsTo(wanted: Wanted[], current: TargetState): Step[] {
  return wanted.map((want) => stepTo(want, current)).filter((candidate) => candidate.from !== candidate.to);
}

function stepTo(want: Wanted, current: TargetState): Step {
  if (want.action === 'disable')
    return { action: 'disable', promptName: null, from: current.enabled, to: false };
  if (want.action === 'model') return { action: 'model', promptName: null, from: current.model, to: want.to };
  const from = promptVersion(current, want.promptName);
  return { action: 'prompt', promptName: want.promptName, from, to: want.to };
}

export function promptVersion(state: TargetState, promptName: string | null): string | null {
  const versions = state.prompts;
  return (promptName === null ? undefined : versions[promptName]) ?? versions[''] ?? null;
}

/** What the target serves now for the thing that the step changes. */
export function currentOf(taken: Step, state: TargetState): string | boolean | null {
  if (taken.action === 'prompt') return promptVersion(state, taken.promptName);
  return taken.action === 'model' ? state.model : state.enabled;
}

/** Undoing is going back, step by step, in reverse order. */
export function undoOf(steps: readonly Step[]): Step[] {
  return steps
    .filter((taken): taken is Step & { from: string | boolean } => taken.from !== null)
    .map((taken) => ({ ...taken, action: opposite(taken.action), from: taken.to, to: taken.from }))
    .reverse();
}

const opposite = (action: Step['action']): Step['action'] => (action === 'disable' ? 'enable' : action);

/** One line for people, e.g. "prompt answer v14 → v13". */
export function describeSteps(steps: readonly Step[]): string {
  return steps.map(describeStep).join('; ');
}

function describeStep(taken: Step): string {
  if (taken.action === 'disable') return 'disable the feature';
  if (taken.action === 'enable') return 'enable the feature';
  const what = taken.action === 'prompt' ? `prompt ${taken.promptName ?? ''}`.trim() : 'model';
  return `${what} ${describeValue(taken.from)} → ${describeValue(taken.to)}`;
}

export function describeValue(value: string | boolean | null): string {
  if (value === null) return 'unknown';
  if (typeof value === 'boolean') return value ? 'enabled' : 'disabled';
  return value;
}
