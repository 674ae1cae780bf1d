import type { IncidentCard } from '../../flow/room/incident-card.ts';
import { nameOf, PRODUCTION } from '../../incident/incident.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { bullets, buttons, optionalSection, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { withMenu } from './card-menu.ts';
import { type ButtonContext, incidentButtons } from './incident-buttons.ts';
import { factLine, linkedFact, outsideLine } from './outside-text.ts';
import { rolesLine, updateLine } from './people-lines.ts';
import { postmortemLine } from './postmortem.ts';
import { stakeholderLine } from './stakeholder.ts';
import { stillOnLine } from './still-on.ts';
import { timeSpan } from './time-span.ts';

/** The incident on one phone screen: how bad, for how long, why, who knows, what is due, what is in force. */
export function renderCard(card: IncidentCard): Rendered {
  const headline = headlineOf(card);
  const title = outsideLine(card.title, 250);
  const signal = card.signal === null ? null : factLine(card.signal, 600);
  return rendered(fallback(card, { headline, title, signal }), [
    section(`*${headline}*`, title),
    ...optionalSection(signal, labelled('Likely', card.likely), labelled('Known-good', card.knownGood)),
    ...optionalSection(falseAlarmLine(card)),
    ...optionalSection(stakeholderLine(card)),
    ...optionalSection(rolesLine(card), updateLine(card)),
    section(`*Paged:* ${linkedFact(card.paged, 300)}${acknowledgement(card)}`, clockLine(card)),
    ...optionalSection(
      bullets('*Still on*', card.stillOn.map(stillOnLine), 6),
      bullets(
        '*Waiting or over*',
        card.mitigations.map((line) => outsideLine(line, 200)),
        6,
      ),
    ),
    ...optionalSection(postmortemLine(card)),
    ...withMenu(buttons(incidentButtons(card.actions, buttonContext(card))), card),
    ...buttons(card.private ? [samplesButton(card)] : []),
    smallPrint(`${nameOf(card.incidentId)}${card.private ? PRIVATE_RULE : ''}`),
  ]);
}

function buttonContext(card: IncidentCard): ButtonContext {
  const { incidentId, atOnce, hasTarget, blastRadius } = card;
  const fact = (text: string | null, max: number) => (text === null ? null : factLine(text, max));
  return {
    incidentId,
    atOnce,
    hasTarget,
    service: serviceOf(card, 60),
    knownGood: fact(card.knownGood, 120),
    rollBackTo: card.rollBackTo,
    blastRadius: { propose: fact(blastRadius.propose, 250), contain: fact(blastRadius.contain, 250) },
  };
}

// Examples of a private incident are in no message: whoever may see them opens them.
const samplesButton = ({ incidentId }: IncidentCard) => ({
  label: 'Show samples',
  actionId: 'samples',
  value: String(incidentId),
});

const PRIVATE_RULE = ' · private: its names, samples and links stay in this room';

function headlineOf(card: IncidentCard): string {
  const about = [
    card.drill ? 'DRILL' : null,
    `${card.severity.toUpperCase()} ${card.category}`,
    serviceOf(card, 80),
    environmentOf(card.environment),
    exposure(card),
  ];
  return about.filter((part) => part !== null).join(' · ');
}

function serviceOf(card: IncidentCard, max: number): string {
  return card.service === null ? 'service unknown' : factLine(card.service, max);
}

// Only production pages: any other environment is named in full, and the card says so.
function environmentOf(environment: string): string {
  return environment === PRODUCTION ? 'PROD' : `${factLine(environment, 60)}, nobody is paged`;
}

// Users are exposed from the estimated start until containment; without a start only the age is known.
function exposure(card: IncidentCard): string {
  if (card.status === 'declined') return 'false alarm';
  if (card.status === 'merged') return 'merged into another incident';
  if (card.startedAt === null) return `open ${timeSpan(card.declaredAt, card.resolvedAt ?? card.now)}`;
  const end = card.containedAt ?? card.mitigatedAt ?? card.resolvedAt ?? card.now;
  return `exposed ${timeSpan(card.startedAt, end)}`;
}

function falseAlarmLine({ falseAlarm }: IncidentCard): string | null {
  if (falseAlarm.length === 0) return null;
  const people = falseAlarm.map((one) => truncate(person(one), 80)).join(', ');
  return `*False alarm:* ${falseAlarm.length} of 2 so far, by ${people}`;
}

function labelled(label: string, value: string | null): string | null {
  return value === null ? null : `*${label}:* ${factLine(value, 250)}`;
}

function acknowledgement(card: IncidentCard): string {
  if (card.acknowledgedBy !== null) return ` · ${truncate(person(card.acknowledgedBy), 80)} is on it`;
  return card.awaitsAnswer ? ' · not acknowledged' : '';
}

/** The furthest milestone that is reached, or the containment deadline while it runs. */
function clockLine(card: IncidentCard): string | null {
  if (card.status === 'declined' || card.status === 'merged') return null;
  if (card.resolvedAt !== null) return `*Resolved:* ${slackDate(card.resolvedAt)}`;
  if (card.mitigatedAt !== null) return `*Mitigated:* ${slackDate(card.mitigatedAt)}, not resolved yet`;
  if (card.containedAt !== null) return `*Contained:* ${slackDate(card.containedAt)}, not mitigated yet`;
  if (card.waived !== null) return waivedLine(card.waived);
  if (card.containBy === null) return null;
  return `*Contain by:* ${slackDate(card.containBy)} (${remaining(card.containBy, card.now)})`;
}

function waivedLine({ by, reason }: NonNullable<IncidentCard['waived']>): string {
  return `*Not contained on purpose:* ${outsideLine(reason, 200)} (${truncate(person(by), 80)})`;
}

function remaining(due: Date, now: Date): string {
  if (Math.abs(due.getTime() - now.getTime()) < 60_000) return 'due now';
  return due < now ? `${timeSpan(due, now)} overdue` : `${timeSpan(now, due)} left`;
}

// A lock screen can be read by anyone, so it shows no title of a private incident.
function fallback(
  card: IncidentCard,
  said: { headline: string; title: string; signal: string | null },
): string {
  const subject = card.private ? [`private incident ${card.incidentId}`] : [said.title, said.signal];
  const running = card.status === 'triage' || card.status === 'open';
  const state = running ? containText(card) : card.status;
  const parts = [said.headline, ...subject, state].filter((part) => part !== null && part !== '');
  return parts.join(' – ');
}

function containText(card: IncidentCard): string | null {
  if (card.waived !== null) return 'not contained on purpose';
  if (card.containBy === null || card.containedAt !== null) return null;
  return `contain first: ${remaining(card.containBy, card.now)}`;
}
