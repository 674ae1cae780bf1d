import type { SIGN_OFF_ROLES } from '../config/config-file.ts';
import { isResume, type Plan, type Step } from './plan.ts';
import { kindOf } from './serving.ts';

/** In whose place a person signs off. */
export type SignOffRole = (typeof SIGN_OFF_ROLES)[number];

export interface RoleHolders {
  role: SignOffRole;
  people: readonly string[];
}

/**
 * Policy: setting back on what a safety incident took away is resuming, by whatever plan: switching on, ending a
 * fallback, letting outputs through; and returning a setting to what it was before a mitigation of that incident, or
 * loosening its limit.
 */
export function givesBack(steps: Plan['steps'], taken: readonly Step[]): boolean {
  return steps.some((step) => isResume(step) || taken.some((held) => loosens(step, held)));
}

function loosens(step: Step, held: Step): boolean {
  if (step.setting !== held.setting || step.to === held.to) return false;
  if (step.to === held.from) return true;
  const kind = kindOf(step.setting);
  if (kind !== 'limit' && kind !== 'token-cap' && kind !== 'split') return false;
  return step.to === null || Number(step.to) > Number(held.to);
}

/**
 * The roles that nobody has signed off for yet. Policy: a person counts once, even with two roles; who counts for
 * which is chosen so that as few roles as possible stay open.
 */
export function openRoles(needed: readonly RoleHolders[], signers: readonly string[]): SignOffRole[] {
  const taken = new Map<string, number>();
  const place = (index: number, tried: Set<string>): boolean =>
    signers.some((person) => {
      if (!needed[index]?.people.includes(person) || tried.has(person)) return false;
      tried.add(person);
      const holder = taken.get(person);
      if (holder !== undefined && !place(holder, tried)) return false;
      taken.set(person, index);
      return true;
    });
  return needed.filter((_, index) => !place(index, new Set())).map(({ role }) => role);
}
