import { declare, readQuickDeclaration } from '../../flow/incident/declare.ts';
import { loadCard } from '../../flow/room/card.ts';
import { maySee } from '../../flow/stakeholders/may-see.ts';
import { rulesNow } from '../../flow/watch/rule-precision.ts';
import { describeWatch, watchStatus } from '../../flow/watch/watch-status.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { listLive } from '../../incident/incident-store.ts';
import { escapeLine, truncate } from '../mrkdwn.ts';
import { factLine, linkedFact, outsideLine } from '../views/outside-text.ts';
import { rolesLine, updateLine } from '../views/people-lines.ts';
import { stillOnLine } from '../views/still-on.ts';
import { type Ask, namedIncident, type Subcommand } from './ask.ts';
import { serving } from './serving-command.ts';

const LISTED = 20;

/** `declare sev1 quality support-bot answers are wrong`; without text the form opens instead. */
export const declareQuickly: Subcommand = async (ask) => {
  const quick = readQuickDeclaration(ask.text, Object.keys(ask.flow.config.services));
  const { opened, incident, twin } = await declare(ask.flow, {
    ...quick,
    symptom: null,
    startedAt: null,
    by: ask.userId,
    origin: ask.origin,
    announceTo: { channelId: ask.channelId, userId: ask.userId },
  });
  const what = `${nameOf(incident.id)} (${incident.severity} ${incident.category}): ${outsideLine(incident.title, 150)}`;
  if (!opened && incident.private)
    return 'What you said was added to a live private incident; its people were told.';
  if (!opened) return `Nothing new was opened: ${what} is live already. ${roomSentence(incident)}`;
  const other =
    twin === null || twin.private ? '' : ` ${nameOf(twin.id)} is live for the same. ${roomSentence(twin)}`;
  return `Declared ${what}. Its room is being opened and you are invited.${other}`;
};

function roomSentence(incident: Incident): string {
  return incident.channel_id === null
    ? 'Its room is being opened.'
    : `Its room is <#${incident.channel_id}>.`;
}

/** Open incidents; the private ones among them for those who may read them, and for nobody else. */
export const list = async ({ flow, userId }: Ask): Promise<string> => {
  const all = await listLive(flow.db);
  const seen = await Promise.all(all.map((incident) => maySee(flow, incident, userId)));
  const live = all.filter((_, at) => seen[at]);
  if (live.length === 0) return 'No open incidents.';
  const lines = live.slice(-LISTED).map((incident) => {
    const room = incident.channel_id === null ? 'room being opened' : `<#${incident.channel_id}>`;
    const about = `${incident.severity} ${incident.category} · ${escapeLine(incident.service ?? 'no service')}`;
    const mark = incident.private ? ' (private)' : '';
    return `• *${nameOf(incident.id)}*${mark} ${about} · ${incident.status} · ${room} · ${outsideLine(incident.title, 100)}`;
  });
  const more = live.length > LISTED ? [`and ${live.length - LISTED} older ones`] : [];
  return [...lines, ...more].join('\n');
};

const SHOWN_SIGNALS = 25;

/** Open incidents, what the rules see, and where they are blind. */
async function overview(ask: Ask): Promise<string> {
  const lines = describeWatch(await watchStatus(ask.flow)).map((line) => outsideLine(line, 250));
  const shown = lines.slice(0, SHOWN_SIGNALS).map((line) => `• ${line}`);
  const more = lines.length > shown.length ? [`and ${lines.length - shown.length} more`] : [];
  const rules = await rulesLines(ask);
  return truncate([await list(ask), ...rules, '', '*Signals*', ...shown, ...more].join('\n'), 2900);
}

const SHOWN_RULES = 8;

/** How often the rules were right lately, those that were wrong most often first. */
async function rulesLines({ flow }: Ask): Promise<string[]> {
  const lines = (await rulesNow(flow)).map((line) => `• ${factLine(line, 200)}`);
  return lines.length === 0 ? [] : ['', '*Rules, 30 days*', ...lines.slice(0, SHOWN_RULES)];
}

/** The card's facts, for whoever asks. */
export const status: Subcommand = async (ask) => {
  const aboutServing = /^serving(?:\s|$)(.*)/is.exec(ask.text.trim());
  if (aboutServing !== null) return serving({ ...ask, text: aboutServing[1] ?? '' });
  const incident = await namedIncident(ask);
  if (incident === null)
    return ask.text.trim() === ''
      ? overview(ask)
      : `No incident ${escapeLine(ask.text)} that you can see here.`;
  const card = await loadCard(ask.flow, incident.id);
  const lines = [
    `*${nameOf(incident.id)}* ${card.severity} ${card.category} · ${card.status} · ${outsideLine(card.title, 150)}`,
    card.signal === null ? null : factLine(card.signal, 600),
    card.likely === null ? null : `*Likely:* ${factLine(card.likely, 250)}`,
    card.knownGood === null ? null : `*Known-good:* ${factLine(card.knownGood, 250)}`,
    `*Paged:* ${linkedFact(card.paged, 300)}`,
    rolesLine(card),
    updateLine(card),
    ...card.stillOn.map((one) => `• on: ${stillOnLine(one)}`),
    ...card.mitigations.map((line) => `• ${factLine(line, 200)}`),
    ...card.missing.map((line) => `• missing: ${factLine(line, 200)}`),
  ];
  return truncate(lines.filter((line) => line !== null).join('\n'), 2900);
};
