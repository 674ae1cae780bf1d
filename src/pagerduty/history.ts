import { z } from 'zod';
import type { PagerNotification } from '../flow/page/pager-port.ts';
import type { Client } from './client.ts';
import { oneIncident, pathOf } from './opening.ts';

const logEntry = z.looseObject({
  type: z.string(),
  created_at: z.string(),
  user: z.looseObject({ id: z.string(), summary: z.string().nullish() }).nullish(),
  channel: z
    .looseObject({
      type: z.string().nullish(),
      notification: z.looseObject({ type: z.string().nullish() }).nullish(),
    })
    .nullish(),
});
const manyEntries = z.looseObject({ log_entries: z.array(logEntry), more: z.boolean().nullish() });
const manyAlerts = z.looseObject({ alerts: z.array(z.looseObject({ alert_key: z.string().nullish() })) });
const manyNotes = z.looseObject({ notes: z.array(z.looseObject({ id: z.string(), content: z.string() })) });

const PAGE = 100;
const MOST_PAGES = 5;

/** Whom PagerDuty has notified for an incident and how, by its log; oldest first. */
export async function notificationsOf(client: Client, id: string): Promise<PagerNotification[]> {
  const found: PagerNotification[] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { limit: String(PAGE), offset: String(page * PAGE), is_overview: 'false' };
    const path = `${pathOf(id)}/log_entries`;
    const { log_entries: entries, more } = manyEntries.parse(
      await client.rest({ method: 'get', path, query }),
    );
    for (const { type, created_at, user, channel } of entries) {
      if (type !== 'notify_log_entry' || !user) continue;
      const how = (channel?.notification?.type ?? channel?.type ?? '').replace(/_notification$/, '');
      found.push({ at: new Date(created_at), userId: user.id, name: user.summary ?? user.id, how });
    }
    if (more !== true) break;
  }
  return found.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** The keys under which it was opened: its own, and those of its alerts, where Events v2 leaves them. */
export async function keysOf(client: Client, id: string): Promise<string[]> {
  const { incident } = oneIncident.parse(await client.rest({ method: 'get', path: pathOf(id) }));
  if (typeof incident.incident_key === 'string') return [incident.incident_key];
  const answer = manyAlerts.parse(await client.rest({ method: 'get', path: `${pathOf(id)}/alerts` }));
  return answer.alerts.map((alert) => alert.alert_key).filter((key) => typeof key === 'string');
}

/** The whole text of a note; null when it is gone. */
export async function noteText(client: Client, id: string, noteId: string): Promise<string | null> {
  const { notes } = manyNotes.parse(await client.rest({ method: 'get', path: `${pathOf(id)}/notes` }));
  return notes.find((note) => note.id === noteId)?.content ?? null;
}
