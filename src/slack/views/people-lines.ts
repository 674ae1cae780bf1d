import type { IncidentCard } from '../../flow/room/incident-card.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { outsideLine } from './outside-text.ts';

/** Who does what in the incident; null while nobody has a role. */
export function rolesLine({ roles }: Pick<IncidentCard, 'roles'>): string | null {
  const held = Object.entries(roles).flatMap(([role, who]) =>
    who === null ? [] : [`*${role.charAt(0).toUpperCase()}${role.slice(1)}:* ${truncate(person(who), 80)}`],
  );
  return held.length === 0 ? null : held.join(' · ');
}

/** What people were told last, and when they hear again while anything is still to come. */
export function updateLine({
  lastUpdate,
  status,
  now,
}: Pick<IncidentCard, 'lastUpdate' | 'status' | 'now'>): string | null {
  if (lastUpdate === null) return null;
  const { by, at, text, nextAt } = lastUpdate;
  const said = `*Last update:* ${outsideLine(text, 400)} (${truncate(person(by), 80)}, ${slackDate(at)})`;
  if (nextAt === null || !AWAITED.includes(status)) return said;
  return `${said} · next ${slackDate(nextAt)}${nextAt < now ? ', overdue' : ''}`;
}

const AWAITED: readonly IncidentCard['status'][] = ['triage', 'open', 'contained'];
