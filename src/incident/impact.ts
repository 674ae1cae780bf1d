import type { Category, Severity } from '../db/schema.ts';

export const AFFECTED = ['most', 'some', 'few', 'unsure'] as const;
export const HARM = ['down', 'harmful', 'wrong', 'degraded', 'unsure'] as const;
export const EXPOSED = ['yes', 'no', 'unsure'] as const;

/** What somebody knows of the impact before they know how bad that is. */
export interface Impact {
  affected: (typeof AFFECTED)[number];
  harm: (typeof HARM)[number];
  /** Data of people, or what must never be said, reached somebody. */
  exposed: (typeof EXPOSED)[number];
}

/**
 * Policy: exposed data makes it a safety incident, which is sev1 and private; harm is sev1 whomever it meets; an outage or
 * wrong answers are as bad as many are affected; merely worse answers are one step less; who is unsure is taken at the worse.
 */
export function severityOf(impact: Impact, category: Category): { severity: Severity; category: Category } {
  if (impact.exposed === 'yes' || category === 'safety') return { severity: 'sev1', category: 'safety' };
  if (impact.harm === 'harmful') return { severity: 'sev1', category };
  const step = STEP[impact.affected] + (impact.harm === 'degraded' ? 1 : 0);
  return { severity: SEVERITY_AT[Math.min(step, 2)] ?? 'sev3', category };
}

const STEP: Record<Impact['affected'], number> = { most: 0, unsure: 1, some: 1, few: 2 };
const SEVERITY_AT: readonly Severity[] = ['sev1', 'sev2', 'sev3'];
