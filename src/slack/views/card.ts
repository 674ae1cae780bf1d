import type { IncidentCard } from '../../flow/ports.ts';
import { PRODUCTION } from '../../incident/incident.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { bullets, buttons, optionalSection, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { incidentButtons } from './incident-buttons.ts';
import { factLine, outsideLine } from './outside-text.ts';
import { stillOnLine } from './still-on.ts';
import { timeSpan } from './time-span.ts';

/** The incident on one phone screen: how bad, for how long, why, who knows, what is due, what is in force. */
export function renderCard(card: IncidentCard): Rendered {
  const headline = headlineOf(card);
  const title = outsideLine(card.title, 250);
  const signal = card.signal === null ? null : factLine(card.signal, 600);
  const service = serviceOf(card, 60);
  const knownGood = card.knownGood === null ? null : factLine(card.knownGood, 120);
  return rendered(fallback(card, { headline, title, signal }), [
    section(`*${headline}*`, title),
    ...optionalSection(signal, labelled('Likely', card.likely), labelled('Known-good', card.knownGood)),
    ...optionalSection(falseAlarmLine(card)),
    section(`*Paged:* ${factLine(card.paged, 250)}${acknowledgement(card)}`, clockLine(card)),
    ...optionalSection(
      bullets('*Still on*', card.stillOn.map(stillOnLine), 6),
      bullets(
        '*Waiting or over*',
        card.mitigations.map((line) => outsideLine(line, 200)),
        6,
      ),
      bullets(
        '*Still missing*',
        card.missing.map((line) => outsideLine(line, 200)),
        6,
      ),
    ),
    ...buttons(
      incidentButtons(card.actions, { incidentId: card.incidentId, service, knownGood, atOnce: card.atOnce }),
    ),
    smallPrint(`Incident ${card.incidentId}${card.private ? PRIVATE_RULE : ''}`),
  ]);
}

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
  return card.acknowledgedBy === null ? '' : ` · ${truncate(person(card.acknowledgedBy), 80)} is on it`;
}

/** The furthest milestone that is reached, or the containment deadline while it runs. */
function clockLine(card: IncidentCard): string | null {
  if (card.status === 'declined' || card.status === 'merged') return null;
  if (card.resolvedAt !== null) return `*Resolved:* ${slackDate(card.resolvedAt)}`;
  if (card.mitigatedAt !== null) return `*Mitigated:* ${slackDate(card.mitigatedAt)}, not resolved yet`;
  if (card.containedAt !== null) return `*Contained:* ${slackDate(card.containedAt)}, not mitigated yet`;
  if (card.containBy === null) return null;
  return `*Contain by:* ${slackDate(card.containBy)} (${remaining(card.containBy, card.now)})`;
}

function remaining(due: Date, now: Date): string {
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
  if (card.containBy === null || card.containedAt !== null) return null;
  return `contain first: ${remaining(card.containBy, card.now)}`;
}
