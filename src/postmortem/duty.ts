const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Hours after resolution. */
export const DUE_HOURS = 48;
/** Longest that reminders may rest, counted from when it is due. */
export const LONGEST_SNOOZE_HOURS = 72;

const BEFORE_MS = [24, 40, 47, DUE_HOURS].map((hours) => (DUE_HOURS - hours) * HOUR_MS);

/**
 * When its owner is reminded next, after `now`. Policy: 24, 40 and 47 hours after resolution, when it is due, and then
 * every day.
 */
export function nextReminderAt(dueAt: Date, now: Date): Date {
  const leftMs = dueAt.getTime() - now.getTime();
  const before = BEFORE_MS.find((beforeMs) => beforeMs < leftMs);
  if (before !== undefined) return new Date(dueAt.getTime() - before);
  const days = Math.floor(-leftMs / DAY_MS) + 1;
  return new Date(dueAt.getTime() + days * DAY_MS);
}

/** Policy: the engineering lead hears of it from the second day on that it is overdue. */
export const concernsLead = (dueAt: Date, now: Date): boolean => now.getTime() - dueAt.getTime() >= DAY_MS;

/** "is due in 31 hours", "is due now", "is 2 days overdue"; to the nearest hour. */
export function dueInWords(dueAt: Date, now: Date): string {
  const hours = Math.round((dueAt.getTime() - now.getTime()) / HOUR_MS);
  if (hours > 0) return `is due in ${counted(hours, 'hour')}`;
  if (hours === 0) return 'is due now';
  return -hours < 24
    ? `is ${counted(-hours, 'hour')} overdue`
    : `is ${counted(Math.floor(-hours / 24), 'day')} overdue`;
}

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Something that happened in an incident, oldest first, as far as it concerns sign-offs. */
interface Entry {
  readonly id: number;
  readonly kind: string;
  readonly actor: string | null;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
}

export const SIGNED = 'postmortem-signed';

/** What changes the document that was signed. */
const CHANGES = new Set([
  'answer',
  'action-item',
  'eval-case',
  'no-eval-case',
  'review',
  'root-cause',
  'timeline',
  'good',
  'bad',
  'luck',
]);

export interface DocumentSignature {
  readonly by: string;
  readonly at: Date;
  readonly roles: readonly string[];
}

/** Sign-offs that stand. Policy: what is signed is what is there; whoever adds to it afterwards voids them. */
export function signaturesOf(timeline: readonly Entry[]): DocumentSignature[] {
  const changedBy = Math.max(0, ...timeline.filter(({ kind }) => CHANGES.has(kind)).map(({ id }) => id));
  return timeline
    .filter(({ kind, id, actor }) => kind === SIGNED && id > changedBy && actor !== null)
    .map(({ actor, at, data }) => ({ by: actor ?? '', at, roles: rolesIn(data['roles']) }));
}

const rolesIn = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

export type SigningRole = 'owner' | 'legal';

/** Who must sign and has not; somebody who holds two roles signs for both. */
export function openSignatures(
  needed: readonly SigningRole[],
  signed: readonly DocumentSignature[],
): SigningRole[] {
  return needed.filter((role) => !signed.some(({ roles }) => roles.includes(role)));
}
