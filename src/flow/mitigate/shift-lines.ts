import type { Db } from '../../db/database.ts';
import type { Plan, Shift } from '../../mitigation/plan.ts';
import { describeArms, smallerArm } from '../../mitigation/shift-gate.ts';
import { type Stage, stagesOf } from '../../mitigation/shift-store.ts';

/** "stage 2 of 4: 25 %"; a step back is named by where it goes. */
export function nameOfStage(shift: Shift, stage: Pick<Stage, 'number' | 'to_percent' | 'is_back'>): string {
  if (stage.is_back) return `back to ${stage.to_percent} %`;
  return `stage ${stage.number} of ${shift.stages.length}: ${stage.to_percent} %`;
}

/** For the receipt: each stage with what both arms showed. Nothing for other plans. */
export async function stageLines(db: Db, id: number, { shift }: Pick<Plan, 'shift'>): Promise<string[]> {
  if (shift === null) return [];
  return (await stagesOf(db, id)).map((stage) => lineOf(shift, stage));
}

const SAID: Record<Stage['status'], string> = {
  running: 'is being set',
  gating: 'comparing',
  passed: 'passed',
  failed: 'worse',
  held: 'could not be told',
  stopped: 'stopped',
  done: 'set',
};

function lineOf(shift: Shift, stage: Stage): string {
  const said = stage.status === 'gating' ? comparing(shift, stage) : SAID[stage.status];
  const arms = stage.arms === null || stage.arms.fresh.n === 0 ? '' : `, ${describeArms(stage.arms)}`;
  return `${capital(nameOfStage(shift, stage))}${arms}: ${said}.`;
}

function comparing({ gate }: Shift, { arms }: Stage): string {
  const n = arms === null ? 0 : smallerArm(arms);
  return n < gate.minCalls
    ? `comparing, ${n}/${gate.minCalls} calls in the smaller arm`
    : 'comparing, not yet clear';
}

/** What the step back followed from, with both arms' numbers. */
export function describeBackStep(stages: readonly Stage[], shift: Shift): string {
  const failed = stages.findLast(({ status }) => status === 'failed');
  const back = stages.findLast((stage) => stage.is_back);
  const why =
    failed === undefined
      ? ''
      : ` At ${nameOfStage(shift, failed)} it was worse than the rest: ${failed.arms === null ? 'no calls' : describeArms(failed.arms)}.`;
  return `Stepped back by itself to ${back?.to_percent ?? shift.from} %.${why}`;
}

const capital = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
