import { loosens } from './freer.ts';
import type { Plan, Step } from './plan.ts';
import { kindOf } from './serving.ts';

/**
 * True when users are no longer exposed: a containing state. Policy: switched off, a fallback on, outputs held back, limits lowered, all
 * of the traffic taken from or given to an arm, versions seen serving well before; more by any other step is not.
 */
export function contains({
  steps,
  wish: { kind },
  ...plan
}: Pick<Plan, 'steps' | 'wish' | 'shift' | 'approval'>): boolean {
  // Two people approve a change of versions, outside a shift, only where it goes forward.
  const isForward = plan.shift === null && plan.approval === 'two';
  const isBack = kind === 'known-good' || !isForward;
  return kind !== 'undo' && !steps.some(loosens) && steps.some((one) => takesAway(one, isBack));
}

function takesAway({ setting, from, to }: Step, isBack: boolean): boolean {
  switch (kindOf(setting)) {
    case 'prompt':
    case 'model':
      return isBack;
    case 'split':
      return to === 0 || to === 100;
    case 'disclaimer':
      return false;
    default:
      return from !== to;
  }
}
