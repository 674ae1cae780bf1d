import type { IncidentCard } from '../../flow/room/incident-card.ts';
import type { StakeholderView } from '../../flow/stakeholders/stakeholder-view.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { factLine, outsideLine } from './outside-text.ts';

/** A direct message to one stakeholder; of a private incident it says where to look, and nothing of what it is. */
export function renderStakeholder(ask: StakeholderView): Rendered {
  const name = `INC-${ask.incidentId}`;
  const { about, role } = ask;
  const needed = about === null ? `${name} (private) needs you for ${role}` : `${name} needs you for ${role}`;
  const what =
    about === null
      ? null
      : `${about.isDrill ? 'DRILL · ' : ''}${about.severity.toUpperCase()} ${about.category} · ${factLine(about.service ?? 'no service named', 80)} · ${factLine(about.environment, 40)}: ${outsideLine(about.title, 200)}`;
  const said = answerOf(ask);
  const by = `Please acknowledge by ${slackDate(ask.dueAt)}.`;
  const isOpen = ask.state === 'asks' || ask.state === 'breached';
  const value = `${ask.incidentId}:${role}`;
  return rendered(`${needed}.${said === null ? '' : ` ${said}`}`, [
    section(`*${needed}.*`, what, linkTo(ask.roomId), said ?? by),
    ...buttons(
      isOpen ? [{ label: 'Acknowledge', actionId: 'stakeholder_ack', value, style: 'primary' }] : [],
    ),
    smallPrint(`\`/llm-incident ack ${name}\` does the same.`),
  ]);
}

function linkTo(roomId: string | null): string {
  return roomId === null
    ? 'Its room is being opened.'
    : `<https://slack.com/app_redirect?channel=${roomId}|Open the room>`;
}

function answerOf({ state, by, at, dueAt }: StakeholderView): string | null {
  if (state === 'acknowledged')
    return `*Acknowledged* by ${person(by ?? '')}${at === null ? '' : ` ${slackDate(at)}`}.`;
  if (state === 'breached') return `*Not acknowledged* by ${slackDate(dueAt)}. It still waits for you.`;
  return state === 'over' ? 'It was no incident of its own; nothing is asked of you any more.' : null;
}

/** Who must acknowledge, who did and when, on one line of the card. */
export function stakeholderLine({
  stakeholders,
  now,
}: Pick<IncidentCard, 'stakeholders' | 'now'>): string | null {
  if (stakeholders.length === 0) return null;
  const said = stakeholders.map(({ role, state, dueAt, by, at, isLate }) => {
    if (state === 'acknowledged') {
      const who = truncate(person(by ?? ''), 80);
      return `${role} ${who}${at === null ? '' : ` ${slackDate(at)}`}${isLate ? ' (late)' : ''}`;
    }
    if (state === 'breached') return `${role} *breached*`;
    if (state === 'nobody') return `${role}: nobody is configured`;
    return `${role} ${dueAt < now ? 'overdue' : 'due'} ${slackDate(dueAt)}`;
  });
  return `*Stakeholders:* ${said.join(' · ')}`;
}
