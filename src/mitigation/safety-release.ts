import type { SIGN_OFF_ROLES } from '../config/config-file.ts';

/** In whose place a person signs off. */
export type SignOffRole = (typeof SIGN_OFF_ROLES)[number];

export interface RoleHolders {
  role: SignOffRole;
  people: readonly string[];
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
