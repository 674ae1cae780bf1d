import type { HomeView as SlackHome } from '@slack/types';
import type { HomeAsk, HomeIncident, HomeService, HomeView } from '../../flow/room/home.ts';
import { nameOf, PRODUCTION } from '../../incident/incident.ts';
import { slackDate } from '../mrkdwn.ts';
import { buttons, section, smallPrint } from './blocks.ts';
import { factLine, outsideLine } from './outside-text.ts';

const SHOWN = { asks: 12, clocks: 8, services: 12, warnings: 8 };

/** App Home: what waits for this person first, then what is open, what is due, and how the services are. */
export function renderHome(home: HomeView): SlackHome {
  const total = home.counts.sev1 + home.counts.sev2 + home.counts.sev3;
  const asks = few(home.asks, SHOWN.asks, askLine);
  const clocks = few(home.clocks, SHOWN.clocks, clockLine);
  const warnings = few(home.warnings, SHOWN.warnings, warningLine);
  const worst = home.services.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return {
    type: 'home',
    blocks: [
      header('Waiting for you'),
      section(asks ?? 'Nothing waits for you.'),
      header(total === 0 ? 'No open incidents' : `Open incidents: ${total}`),
      ...(total === 0 ? [] : [smallPrint(countsLine(home))]),
      ...home.incidents.map((incident) => section(incidentLine(incident))),
      ...pager(home),
      ...(clocks === null ? [] : [header('Clocks'), section(clocks)]),
      header('Services'),
      section(few(worst, SHOWN.services, serviceLine) ?? 'No service is known yet.'),
      ...(warnings === null ? [] : [section('*Early warnings*', warnings)]),
      smallPrint('`/llm-incident declare` opens an incident, `/llm-incident help` shows the rest.'),
    ],
  };
}

/** The first of them, a line each, and how many more there are; the others are not even drawn. Null without any. */
function few<T>(items: readonly T[], max: number, line: (item: T) => string): string | null {
  if (items.length === 0) return null;
  const more = items.length > max ? [`• and ${items.length - max} more`] : [];
  return [...items.slice(0, max).map((item) => `• ${line(item)}`), ...more].join('\n');
}

const header = (text: string) => ({ type: 'header' as const, text: { type: 'plain_text' as const, text } });

const ORDER: readonly HomeService['state'][] = ['incident', 'firing', 'blind', 'ok'];
const STATES = { incident: 'incident open', firing: 'firing', blind: 'blind', ok: 'ok' } as const;
const ASKED = {
  approve: 'Approve or reject',
  acknowledge: 'Acknowledge',
  action: 'Action item',
  lease: 'Still on, yours',
  postmortem: 'Post-mortem to write',
} as const;

function countsLine({ counts, page, pages }: HomeView): string {
  const by = (['sev1', 'sev2', 'sev3'] as const).map((severity) => `${counts[severity]} ${severity}`);
  return `${by.join(' · ')}${pages > 1 ? ` · page ${page + 1} of ${pages}` : ''}`;
}

function askLine(ask: HomeAsk): string {
  const where = ask.incidentId === null ? '' : ` · ${nameOf(ask.incidentId)}`;
  const due = ask.dueAt === null ? '' : ` · by ${slackDate(ask.dueAt)}`;
  return `*${ASKED[ask.kind]}*${where}${room(ask.channelId)}: ${outsideLine(ask.text, 150)}${due}`;
}

function incidentLine(incident: HomeIncident): string {
  const marks = [
    incident.drill ? 'DRILL' : null,
    `${incident.severity.toUpperCase()} ${incident.category}`,
    incident.service === null ? null : factLine(incident.service, 80),
    incident.environment === PRODUCTION ? null : factLine(incident.environment, 60),
    incident.status,
    incident.private ? 'private' : null,
  ].filter((mark) => mark !== null);
  const since = `since ${slackDate(incident.since)}`;
  return `*${nameOf(incident.id)}* ${marks.join(' · ')}${room(incident.channelId)}\n${outsideLine(incident.title, 150)} · ${since}`;
}

const room = (channelId: string | null) => (channelId === null ? '' : ` · <#${channelId}>`);

const clockLine = (clock: HomeView['clocks'][number]) =>
  `${nameOf(clock.incidentId)}${room(clock.channelId)}: ${clock.what} by ${slackDate(clock.dueAt)}`;

const warningLine = (warning: HomeView['warnings'][number]) =>
  `${factLine(warning.service, 80)}: ${factLine(warning.rule, 60)} since ${slackDate(warning.since)}`;

function serviceLine(service: HomeService): string {
  const where = service.environment === PRODUCTION ? '' : ` (${factLine(service.environment, 60)})`;
  const detail = service.detail === null ? '' : `: ${factLine(service.detail, 150)}`;
  return `${factLine(service.service, 80)}${where} · *${STATES[service.state]}*${detail}`;
}

/** Both buttons carry the page that they lead to. */
function pager({ page, pages }: HomeView) {
  return buttons([
    ...(page > 0 ? [{ label: 'Previous', actionId: 'home_previous', value: String(page - 1) }] : []),
    ...(page < pages - 1 ? [{ label: 'Next', actionId: 'home_next', value: String(page + 1) }] : []),
  ]);
}
