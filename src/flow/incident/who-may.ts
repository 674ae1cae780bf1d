import type { Holder, WhoMay } from '../../config/people.ts';
import type { Category, Severity } from '../../db/schema.ts';
import { SEVERITIES } from '../../incident/incident.ts';

/** What may be kept to some people; the keys of `who_may`. */
export type Action = keyof WhoMay;

/** Slack ids of who holds what in one incident; groups are their members. */
export type HolderPeople = Readonly<Partial<Record<Holder, readonly string[]>>>;

export type Permission = { kind: 'allowed' } | { kind: 'refused'; who: string[] };

const BY_WORD: Readonly<Record<string, Action>> = {
  contain: 'contain',
  update: 'update',
  role: 'role',
  invite: 'invite',
  page: 'page',
  resolve: 'resolve',
  merge: 'merge',
  close: 'close',
};

/** Which of the actions of `who_may` a button stands for. */
export const ACTION_OF_BUTTON: Readonly<Record<string, Action>> = {
  acknowledge: 'acknowledge',
  contain: 'contain',
  propose: 'mitigate',
  false_alarm: 'decline',
  resolve: 'resolve',
};

/**
 * Which action a command in a room is; null for those that anyone may give. Policy: votes are settled by who may
 * approve, and that a safety incident was none by its owner and one more, whatever `who_may` says.
 */
export function actionOf(
  command: { word: string; rest: string },
  incident: { severity: Severity; category: Category },
): Action | null {
  const [first = ''] = command.rest.trim().toLowerCase().split(/\s+/);
  const isQuestion = first === '';
  switch (command.word) {
    case 'severity':
      return severityAction(first, incident.severity);
    case 'decline':
      return incident.category === 'safety' ? null : 'decline';
    case 'mitigate':
      return isQuestion || VOTES.includes(first) ? null : 'mitigate';
    case 'role':
      return isQuestion ? null : 'role';
    default:
      return Object.hasOwn(BY_WORD, command.word) ? (BY_WORD[command.word] ?? null) : null;
  }
}

const VOTES = ['reject', 'withdraw', 'break-glass'];

function severityAction(wanted: string, now: Severity): Action | null {
  const index = (SEVERITIES as readonly string[]).indexOf(wanted);
  if (index < 0) return null;
  return index > SEVERITIES.indexOf(now) ? 'severity_down' : 'severity';
}

/**
 * Policy: whoever is named, or holds what is named, may; where nobody is known who could, everybody may, because an
 * incident that nobody can end helps no one.
 */
export function decide(
  entries: readonly string[],
  by: string,
  people: HolderPeople & Readonly<Record<string, readonly string[]>>,
): Permission {
  if (entries.includes('anyone')) return { kind: 'allowed' };
  const who = [...new Set(entries.flatMap((entry) => people[entry] ?? []))];
  return who.length === 0 || who.includes(by) ? { kind: 'allowed' } : { kind: 'refused', who };
}
