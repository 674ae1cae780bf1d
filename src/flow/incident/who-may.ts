import type { Holder, WhoMay } from '../../config/people.ts';
import type { Category, Severity } from '../../db/schema.ts';
import { SEVERITIES } from '../../incident/incident.ts';

/** What may be kept to some people; the keys of `who_may`. */
export type Action = keyof WhoMay;

/** Slack ids of who holds what in one incident; groups are their members. */
export type HolderPeople = Readonly<Partial<Record<Holder, readonly string[]>>>;

/** `isUnread`: some of who may could not be asked for just now. */
export type Permission = { kind: 'allowed' } | { kind: 'refused'; who: string[]; isUnread: boolean };

const BY_WORD: Readonly<Record<string, Action>> = {
  contain: 'contain',
  update: 'update',
  role: 'role',
  invite: 'invite',
  page: 'page',
  resolve: 'resolve',
  merge: 'merge',
  private: 'private',
  close: 'close',
  characterise: 'characterise',
  lease: 'lease',
  note: 'note',
  timeline: 'timeline',
  postmortem: 'postmortem',
  eval: 'eval',
  'root-cause': 'root_cause',
};

/** Alone, these show what there is. */
const SHOWS_WHEN_ALONE = [
  'role',
  'mitigate',
  'characterise',
  'lease',
  'timeline',
  'postmortem',
  'eval',
  'root-cause',
];

/** Which command a button stands for. */
export const COMMAND_OF_BUTTON: Readonly<Record<string, { word: string; rest: string }>> = {
  acknowledge: { word: 'acknowledge', rest: '' },
  contain: { word: 'contain', rest: '' },
  propose: { word: 'mitigate', rest: 'known-good' },
  false_alarm: { word: 'decline', rest: '' },
  resolve: { word: 'resolve', rest: '' },
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
  if (first === '' && SHOWS_WHEN_ALONE.includes(command.word)) return null;
  switch (command.word) {
    case 'acknowledge':
      return 'acknowledge';
    case 'severity':
      return severityAction(first, incident.severity);
    case 'decline':
      return incident.category === 'safety' ? null : 'decline';
    case 'mitigate':
      return UNGATED.includes(first) ? null : 'mitigate';
    default:
      return Object.hasOwn(BY_WORD, command.word) ? (BY_WORD[command.word] ?? null) : null;
  }
}

/** Votes, and stopping a shift, which anyone may as they may refuse it. */
const UNGATED = ['reject', 'withdraw', 'break-glass', 'stop'];

function severityAction(wanted: string, now: Severity): Action | null {
  const index = (SEVERITIES as readonly string[]).indexOf(wanted);
  if (index < 0) return null;
  return index > SEVERITIES.indexOf(now) ? 'severity_down' : 'severity';
}

/**
 * Policy: whoever is named, or holds what is named, may; where nobody is known who could, everybody may, because an
 * incident that nobody can end helps no one. Who cannot be asked for now is not nobody: `leads` stand in for them.
 */
export function decide(
  entries: readonly string[],
  people: HolderPeople & Readonly<Record<string, readonly string[]>>,
  { by, isUnread = false, leads = [] }: { by: string; isUnread?: boolean; leads?: readonly string[] },
): Permission {
  if (entries.includes('anyone')) return { kind: 'allowed' };
  const standIns = isUnread ? leads : [];
  const who = [...new Set([...entries.flatMap((entry) => people[entry] ?? []), ...standIns])];
  const isNobody = who.length === 0 && !isUnread;
  return isNobody || who.includes(by) ? { kind: 'allowed' } : { kind: 'refused', who, isUnread };
}
