import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Category, Severity } from '../../db/schema.ts';
import { CATEGORIES, type Incident, SEVERITIES } from '../../incident/incident.ts';
import { addToTimeline, findLiveAbout } from '../../incident/incident-store.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { bringLedgerUp } from '../ledger/bring-ledger-up.ts';
import { bringMessage, type ReportedMessage } from './bring-message.ts';
import { openIncident } from './open-incident.ts';

/** What a person says of an incident when they declare it. */
export interface Declared {
  title: string;
  category: Category;
  severity: Severity;
  service: string | null;
  /** A symptom id of the playbook when it was chosen from its list, else the person's words. */
  symptom: string | null;
  startedAt: Date | null;
  private: boolean;
}

export interface Declaration extends Declared {
  by: string;
  /** Names the form or command, so that the same one delivered twice declares once. */
  origin: string;
  announceTo?: { channelId: string; userId: string };
  /** The message that it was opened from. */
  message?: ReportedMessage;
}

/**
 * A person declares an incident. The same form or command declares once; `twin` is another live incident about the
 * same service and category, which they may not know of.
 */
export async function declare(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'pager'>,
  { by, ...asked }: Declaration,
): Promise<{ opened: boolean; incident: Incident; twin: Incident | null }> {
  const { message, ...said } = asked;
  const now = flow.clock.now();
  const { environment } = flow.config;
  if (asked.service !== null) await bringLedgerUp(flow, { service: asked.service, environment }, now);
  const wanted = {
    ...said,
    environment,
    source: 'person' as const,
    rule: null,
    declaredBy: by,
    signal: null,
    passScore: null,
    now,
  };
  return flow.db.transaction().execute(async (tx) => {
    const outcome = await openIncident(flow, tx, wanted);
    if (!outcome.opened) await keepReport(tx, { incident: outcome.incident, by, title: asked.title, now });
    if (message !== undefined) await bringMessage(tx, { incident: outcome.incident, by, message, now });
    const { service, environment, category, id } = outcome.incident;
    const live = service === null ? undefined : await findLiveAbout(tx, { service, environment, category });
    return { ...outcome, twin: live === undefined || live.id === id ? null : live };
  });
}

/** A second report of the same thing opens nothing, and is not lost: the room is told. */
async function keepReport(
  tx: Tx,
  report: { incident: Incident; by: string; title: string; now: Date },
): Promise<void> {
  const { incident, by, title, now } = report;
  const text = `Reported again: ${title}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'reported-again', actor: by, text });
  await enqueue(tx, notice(incident.id, now, { text }));
}

export type QuickDeclaration = Omit<Declared, 'symptom' | 'startedAt'>;

/**
 * Reads "sev1 quality support-bot answers are wrong" in any order of the leading words: the first severity, category,
 * known service and "private" are taken out, the rest is the title. What is not said is quality and sev2.
 */
export function readQuickDeclaration(text: string, services: readonly string[]): QuickDeclaration {
  const taken: Partial<QuickDeclaration> = {};
  const words = text.trim().split(/\s+/);
  let used = 0;
  for (const word of words) {
    if (!takeWord(word.toLowerCase(), taken, services)) break;
    used += 1;
  }
  const title = words.slice(used).join(' ');
  const category = taken.category ?? 'quality';
  return {
    title: title === '' ? `${category} incident${taken.service ? ` in ${taken.service}` : ''}` : title,
    category,
    severity: taken.severity ?? 'sev2',
    service: taken.service ?? null,
    private: taken.private ?? false,
  };
}

function takeWord(word: string, taken: Partial<QuickDeclaration>, services: readonly string[]): boolean {
  const severity = SEVERITIES.find((known) => known === word);
  const category = CATEGORIES.find((known) => known === word);
  const service = services.find((known) => known.toLowerCase() === word);
  if (severity !== undefined && taken.severity === undefined) taken.severity = severity;
  else if (category !== undefined && taken.category === undefined) taken.category = category;
  else if (service !== undefined && taken.service === undefined) taken.service = service;
  else if (word === 'private' && taken.private === undefined) taken.private = true;
  else return false;
  return true;
}
