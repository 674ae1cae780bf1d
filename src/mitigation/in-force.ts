import type { MitigationStatus } from '../db/schema.ts';
import { isSameSetting } from './freer.ts';
import { isResume, type Plan, type Step } from './plan.ts';
import { kindOf } from './serving.ts';

/** Something of it is in force, or may be where the run stopped and a person must look. */
export const IN_FORCE: readonly MitigationStatus[] = [
  'applied',
  'proven',
  'unproven',
  'not-contained',
  'needs-human',
];

/** True when it only gives back: switches on, ends a fallback, lifts a limit. Such a step leaves nothing in force. */
function isRelease(step: Step): boolean {
  const kind = kindOf(step.setting);
  if (kind === 'limit' || kind === 'token-cap' || kind === 'disclaimer') return step.to === null;
  return isResume(step);
}

/** Policy: what takes another mitigation back, or only gives back, leaves nothing in force and has no lease. */
export function leavesNothing({ steps, wish }: Pick<Plan, 'steps' | 'wish'>): boolean {
  return wish.kind === 'undo' || steps.every(isRelease);
}

/**
 * What a later plan does to an earlier mitigation of the same service. Policy: when all that the earlier one set is
 * given back, it is taken back; when all of it is set to something else, the later one lies over it and it counts
 * again should that one be taken back; else it stays in force.
 */
export function effectOn(
  earlier: readonly Step[],
  later: Pick<Plan, 'steps' | 'wish'>,
): 'taken-back' | 'replaced' | 'none' {
  const now = earlier.map(({ setting }) => later.steps.find((step) => isSameSetting(step.setting, setting)));
  if (now.some((step, index) => step === undefined || step.to === earlier[index]?.to)) return 'none';
  const isBack = now.every((step, index) => step?.to === earlier[index]?.from);
  return isBack || leavesNothing(later) ? 'taken-back' : 'replaced';
}
