import type { Category, Row, Severity } from '../db/schema.ts';

export type StakeholderAsk = Row<'stakeholder_ask'>;
export type StakeholderRole = StakeholderAsk['role'];

export const STAKEHOLDER_ROLES: readonly StakeholderRole[] = ['legal', 'compliance', 'comms', 'product'];

/** `next`: the next contact is asked, and where there is none the one before again. */
export interface AskStep {
  afterMinutes: number;
  does: 'page' | 'next' | 'breach';
  /** Whether phones ring. */
  pages: boolean;
}

const SAFETY_STEPS: readonly AskStep[] = [
  { afterMinutes: 10, does: 'page', pages: true },
  { afterMinutes: 20, does: 'next', pages: true },
  { afterMinutes: 30, does: 'breach', pages: false },
];

/**
 * Policy: a safety incident is acknowledged by legal, compliance and comms; a quality incident is told to product, but
 * not a private one, of which only who is invited knows.
 */
export function rolesOf(incident: { category: Category; private: boolean }): StakeholderRole[] {
  if (incident.category === 'safety') return ['legal', 'compliance', 'comms'];
  return incident.category === 'quality' && !incident.private ? ['product'] : [];
}

/**
 * Policy: at once a message, at any hour; in a safety incident a phone page at 10 minutes, the next contact at 20, a
 * breach on record at 30. Product is never paged: its next contact is told at half of its window, at whose end the
 * breach is recorded.
 */
export function stepsOf(
  role: StakeholderRole,
  severity: Severity,
  productMinutes: Readonly<Record<Severity, number>>,
): readonly AskStep[] {
  if (role !== 'product') return SAFETY_STEPS;
  const window = productMinutes[severity];
  return [
    { afterMinutes: window / 2, does: 'next', pages: false },
    { afterMinutes: window, does: 'breach', pages: false },
  ];
}

export const dueAfter = (askedAt: Date, minutes: number) => new Date(askedAt.getTime() + minutes * 60_000);

/** Who is asked at a step: whoever was asked before, or the next of the list. */
export function calledAt(
  step: AskStep,
  { contacts, asked }: Pick<StakeholderAsk, 'contacts' | 'asked'>,
): { next: string | null; people: string[] } {
  const next = step.does === 'next' ? (contacts.find((id) => !asked.includes(id)) ?? null) : null;
  return { next, people: next === null ? asked : [next] };
}

export type AskState = 'asks' | 'acknowledged' | 'breached' | 'nobody';

/** An acknowledgement after the breach is kept beside it. */
export function stateOf(ask: Pick<StakeholderAsk, 'acknowledged_at' | 'breached_at' | 'contacts'>): AskState {
  if (ask.acknowledged_at !== null) return 'acknowledged';
  if (ask.breached_at !== null) return 'breached';
  return ask.contacts.length === 0 ? 'nobody' : 'asks';
}
