import { describeSteps, type Plan, type Shift, type Step, undoOf, type Wanted } from './plan.ts';
import { subjectOf, type TargetState, valueIn } from './serving.ts';
import { splitGroup, splitsOf } from './serving-change.ts';

/** "MODEL" or "PROMPT=VERSION", which is to get the traffic; `isAll`: without stages. */
export interface WantedShift {
  arm: string;
  isAll: boolean;
}

export const splitOf = (arm: string) => `split:${arm}`;

/** What is served when the arm has all of the traffic. */
export function aloneWith(arm: string): Wanted {
  const prompt = splitGroup(arm);
  return prompt === null
    ? { setting: 'model', to: arm }
    : { setting: `prompt:${prompt}`, to: arm.slice(prompt.length + 1) };
}

/** Why traffic cannot be shifted to this arm, in one sentence with the cure; null when it can. */
export function shiftProblem(arm: string, state: TargetState): string | null {
  const rivals = splitsOf(state).filter(
    ({ subject, percent }) => percent > 0 && subject !== arm && splitGroup(subject) === splitGroup(arm),
  );
  const [rival] = rivals;
  if (rival === undefined) return null;
  return `${rival.subject} gets ${rival.percent} % of the same traffic; end that first with \`mitigate split ${rival.subject} 0\`.`;
}

/** The stages that are still above what the arm has; the last is all of it. */
export function stagesFrom(from: number, configured: readonly number[], isAll: boolean): number[] {
  const below = isAll ? [] : configured.filter((percent) => percent > from && percent < 100);
  return [...below, 100];
}

/**
 * What one stage changes. All of the traffic is the arm served alone, where the plan says so: first it is what is served
 * usually, then its split ends, so that nobody is without an answer in between.
 */
export function stepsOfStage(
  { shift, steps }: { shift: Shift; steps: readonly Step[] },
  { from, to }: { from: number; to: number },
): Step[] {
  const { setting } = shift;
  const endsAlone = steps.every((step) => step.setting !== setting);
  if (to < 100 || !endsAlone) return [{ setting, from, to }];
  return [...steps, ...(from > 0 ? [{ setting, from, to: 0 }] : [])];
}

/** What must be as it was when the plan was made: its steps, and what the arm had. */
export function premisesOf({ shift, steps }: Pick<Plan, 'shift' | 'steps'>): Step[] {
  if (shift === null) return [...steps];
  const { setting, from } = shift;
  return [...steps.filter((step) => step.setting !== setting), { setting, from, to: from }];
}

/** What leads back from wherever a plan ended: a shift that was stopped has changed the split alone. */
export function undoOfPlan({ shift, steps }: Pick<Plan, 'shift' | 'steps'>): Step[] {
  if (shift === null) return undoOf(steps);
  const { setting, from, stages } = shift;
  const isSplit = from > 0 || stages.length > 1 || steps.some((step) => step.setting === setting);
  return [
    ...(isSplit ? [{ setting, from: 100, to: from }] : []),
    ...undoOf(steps.filter((step) => step.setting !== setting)),
  ];
}

/** One line for people: the steps, or for a shift where to and by which stages. */
export function describePlan({ shift, steps }: Pick<Plan, 'shift' | 'steps'>): string {
  if (shift === null) return describeSteps(steps);
  const arm = subjectOf(shift.setting) ?? '';
  const stages = shift.stages.length === 1 ? 'all at once' : `${shift.stages.join(' → ')} %`;
  return `shift the traffic to ${arm}: ${stages}${shift.from === 0 ? '' : ` (${shift.from} % before)`}`;
}

/** What the target must still say at the click. */
export function armPercent({ setting }: Pick<Shift, 'setting'>, state: TargetState): number {
  return Number(valueIn(state, setting) ?? 0);
}
