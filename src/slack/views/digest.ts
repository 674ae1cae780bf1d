import type { DigestView } from '../../flow/room/digest-view.ts';
import { nameOf, PRODUCTION } from '../../incident/incident.ts';
import { slackDate } from '../mrkdwn.ts';
import { optionalSection, type Rendered, rendered, section } from './blocks.ts';
import { factLine, outsideLine, outsideText } from './outside-text.ts';

const ENDED = new Set(['resolved', 'closed', 'declined', 'merged']);

/** One incident for stakeholders: where it stands and what was said last. It pings nobody. */
export function renderDigest({ incidentId, about }: DigestView): Rendered {
  if (about === null) {
    const gone = `Incident ${incidentId} is not reported here any more.`;
    return rendered(gone, [section(gone)]);
  }
  const facts = [
    `${about.severity.toUpperCase()} ${about.category}`,
    about.service === null ? null : factLine(about.service, 80),
    about.environment === PRODUCTION ? null : factLine(about.environment, 60),
    about.status === 'declined' ? 'false alarm' : about.status,
  ].filter((fact) => fact !== null);
  const headline = `${nameOf(incidentId)} · ${facts.join(' · ')}`;
  const title = outsideLine(about.title, 250);
  const room =
    about.roomId === null || ENDED.has(about.status) ? null : `Work goes on in <#${about.roomId}>.`;
  return rendered(`${headline} – ${title}`, [
    section(`*${headline}*`, title),
    section(timesLine(about), room),
    ...optionalSection(updateText(about.update)),
  ]);
}

type About = NonNullable<DigestView['about']>;

function timesLine({ openedAt, containedAt, mitigatedAt, resolvedAt }: About): string {
  const reached = [
    ['Opened', openedAt],
    ['contained', containedAt],
    ['mitigated', mitigatedAt],
    ['resolved', resolvedAt],
  ] as const;
  return reached.flatMap(([word, at]) => (at === null ? [] : [`${word} ${slackDate(at)}`])).join(' · ');
}

function updateText(update: About['update']): string | null {
  return update === null ? null : `*Update* ${slackDate(update.at)}: ${outsideText(update.text, 2000)}`;
}
