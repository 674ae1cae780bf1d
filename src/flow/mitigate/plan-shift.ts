import type { ConfigFile } from '../../config/config-file.ts';
import type { Incident } from '../../incident/incident.ts';
import { type Plan, type Shift, type Step, stepsTo, type Wanted } from '../../mitigation/plan.ts';
import { isUnknown, type TargetState, valueIn } from '../../mitigation/serving.ts';
import {
  aloneWith,
  armPercent,
  shiftProblem,
  splitOf,
  stagesFrom,
  type WantedShift,
} from '../../mitigation/shift.ts';
import type { Target } from '../../mitigation/target.ts';

/** What a shift asks of a target: the split, unless it is all at once, and the arm alone where the target can serve that. */
export function wantedFor(target: Target, { arm, isAll }: WantedShift): Wanted[] {
  const alone = aloneWith(arm);
  const canAlone = target.can(alone.setting);
  const split = { setting: splitOf(arm), to: 100 };
  if (!canAlone) return [split];
  return isAll ? [alone] : [split, alone];
}

export type ShiftPlanned =
  | { kind: 'planned'; steps: Step[]; shift: Shift }
  | { kind: 'wrong'; problem: string }
  | { kind: 'nothing-to-change' };

/** The shift from what the target serves now. Policy: in an outage all at once, since the old arm answers nobody. */
export function planShift(
  config: Pick<ConfigFile, 'shift' | 'services'>,
  {
    wanted,
    service,
    state,
    target,
  }: { wanted: WantedShift; service: string; state: TargetState; target: Target },
): ShiftPlanned {
  const { arm, isAll } = wanted;
  const problem = shiftProblem(arm, state);
  if (problem !== null) return { kind: 'wrong', problem };
  const alone = aloneWith(arm);
  const setting = splitOf(arm);
  const from = armPercent({ setting }, state);
  const canAlone = target.can(alone.setting) && !isUnknown(alone.setting, valueIn(state, alone.setting));
  const steps = stepsTo(canAlone ? [alone] : [{ setting, to: 100 }], state);
  if (steps.length === 0) return { kind: 'nothing-to-change' };
  const { stages, min_calls: minCalls, minutes, margin } = shiftSettingsOf(config, service);
  return {
    kind: 'planned',
    steps,
    shift: { setting, from, stages: stagesFrom(from, stages, isAll), gate: { margin, minCalls, minutes } },
  };
}

export function shiftSettingsOf(
  { shift, services }: Pick<ConfigFile, 'shift' | 'services'>,
  service: string,
): ConfigFile['shift'] {
  const own = services[service]?.shift ?? {};
  return {
    stages: own.stages ?? shift.stages,
    min_calls: own.min_calls ?? shift.min_calls,
    minutes: own.minutes ?? shift.minutes,
    margin: own.margin ?? shift.margin,
  };
}

/** An outage is no time for stages. */
export function urgently(wanted: WantedShift, { category }: Pick<Incident, 'category'>): WantedShift {
  return category === 'outage' ? { ...wanted, isAll: true } : wanted;
}

/** For whoever approves: what each gate asks. */
export function describeGate({ stages, gate }: NonNullable<Plan['shift']>): string {
  if (stages.length === 1) return 'Named by hand; all at once, without a gate.';
  const points = Number((gate.margin * 100).toFixed(1));
  return (
    `Named by hand. After each stage the new arm must not be worse than the rest by ${points} points (95 %), from ` +
    `${gate.minCalls} calls in each. A worse one steps back by itself; one that cannot be told in ${gate.minutes} minutes is held.`
  );
}
