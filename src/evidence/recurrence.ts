import type { Category } from '../db/schema.ts';

/** What an incident is recognised by. */
export interface Signature {
  service: string | null;
  category: Category;
  /** The rule that opened it, null when a person did. */
  rule: string | null;
  /** Components that changed shortly before it began, the most suspicious first, e.g. `prompt:answer`. */
  changed: readonly string[];
}

export interface Likeness {
  /** 0 to 1. */
  score: number;
  /** What both have, in words: "same rule quality.score". */
  common: string[];
}

/** Below this two incidents have nothing to tell one another. */
export const ALIKE = 0.5;

/**
 * Policy: a service that fails in the same way is what one wants to read about; the same rule weighs as much as the
 * service, a common changed component half as much, the category counts only where no rule says more.
 */
export function likeness(one: Signature, other: Signature): Likeness {
  const isSameService = one.service !== null && one.service === other.service;
  const isSameRule = one.rule !== null && one.rule === other.rule;
  const isSameCategory = !isSameRule && one.category === other.category;
  const component = one.changed.find((changed) => other.changed.includes(changed));
  const score =
    (isSameService ? 0.4 : 0) +
    (isSameRule ? 0.4 : isSameCategory ? 0.2 : 0) +
    (component === undefined ? 0 : 0.2);
  const common = [
    isSameService ? `same service ${one.service}` : null,
    isSameRule ? `same rule ${one.rule}` : null,
    isSameCategory ? `also ${one.category}` : null,
    component === undefined ? null : `${component.replace(':', ' ')} had changed then too`,
  ];
  return { score, common: common.filter((part) => part !== null) };
}

/** The past ones that are most like it, the newest first among equals; `past` is oldest first. */
export function mostAlike<Past extends Signature>(
  one: Signature,
  past: readonly Past[],
  limit: number,
): { past: Past; likeness: Likeness }[] {
  return past
    .map((candidate, order) => ({ past: candidate, order, likeness: likeness(one, candidate) }))
    .filter((found) => found.likeness.score >= ALIKE)
    .sort((a, b) => b.likeness.score - a.likeness.score || b.order - a.order)
    .slice(0, limit)
    .map(({ past: found, likeness: how }) => ({ past: found, likeness: how }));
}
