import { loosens } from './freer.ts';
import type { Plan, Step } from './plan.ts';
import { kindOf } from './serving.ts';

/**
 * True when users are no longer exposed to what failed: a containing state. Policy: switched off, a fallback on, outputs held
 * back, limits lowered, all of the traffic taken from or given to an arm, another version or model in place of the one that
 * failed, which live traffic then proves or refutes; a share of the traffic or a disclaimer is not enough.
 */
export function contains({ steps, wish: { kind } }: Pick<Plan, 'steps' | 'wish'>): boolean {
  return kind !== 'undo' && !steps.some(loosens) && steps.some(takesAway);
}

function takesAway({ setting, from, to }: Step): boolean {
  switch (kindOf(setting)) {
    case 'split':
      return to === 0 || to === 100;
    case 'disclaimer':
      return false;
    default:
      return from !== to;
  }
}
