import { z } from 'zod';
import type { Client } from './client.ts';

/** An incident as PagerDuty answers it. */
export const incident = z.looseObject({
  id: z.string(),
  html_url: z.string().nullish(),
  status: z.string(),
  urgency: z.string().nullish(),
  incident_key: z.string().nullish(),
});
export type PagerDutyIncident = z.infer<typeof incident>;

const manyIncidents = z.looseObject({ incidents: z.array(incident) });
const manyAlerts = z.looseObject({ alerts: z.array(z.looseObject({ alert_key: z.string().nullish() })) });
const manyNotes = z.looseObject({ notes: z.array(z.looseObject({ content: z.string() })) });

const pathOf = (id: string) => `/incidents/${encodeURIComponent(id)}`;

/** The first open incident that stands under one of the keys, by its own key or by that of one of its alerts. */
export async function findAdoptable(
  client: Client,
  keys: readonly string[],
): Promise<PagerDutyIncident | null> {
  for (const key of keys.filter((one) => one !== '')) {
    const query = { incident_key: key, 'statuses[]': ['triggered', 'acknowledged'] };
    const answer = await client.rest({ method: 'get', path: '/incidents', query });
    for (const found of manyIncidents.parse(answer).incidents) {
      if (await standsUnder(client, found, key)) return found;
    }
  }
  return null;
}

/** Looked at again: a filter that PagerDuty ignores returns every open incident, and adopting one loses the page. */
async function standsUnder(client: Client, found: PagerDutyIncident, key: string): Promise<boolean> {
  if (found.incident_key === key) return true;
  if (typeof found.incident_key === 'string') return false;
  const answer = await client.rest({ method: 'get', path: `${pathOf(found.id)}/alerts` });
  return manyAlerts.parse(answer).alerts.some((alert) => alert.alert_key === key);
}

export async function raiseUrgency(client: Client, id: string): Promise<void> {
  const body = { incident: { type: 'incident_reference', urgency: 'high' } };
  await client.rest({ method: 'put', path: pathOf(id), body });
}

/** Once: an earlier, unanswered attempt may have written it. */
export async function writeNote(client: Client, id: string, content: string): Promise<void> {
  const path = `${pathOf(id)}/notes`;
  const { notes } = manyNotes.parse(await client.rest({ method: 'get', path }));
  if (notes.some((note) => note.content === content)) return;
  await client.rest({ method: 'post', path, body: { note: { content } } });
}
