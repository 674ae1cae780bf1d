import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { LIVE } from './incident.ts';

export type PagerAspect = 'status' | 'people' | 'priority' | 'urgency' | 'notified';
export type PagerState = Row<'pager_state'>;

/** Keeps what PagerDuty said unless something newer is known; `at` is PagerDuty's time. True when it says something else now. */
export async function notePagerState(
  db: Db,
  said: { pagerdutyId: string; aspect: PagerAspect; value: string; actor: string | null; at: Date },
): Promise<boolean> {
  const { pagerdutyId, aspect, value, actor, at } = said;
  const before = (await pagerStatesOf(db, pagerdutyId)).find((state) => state.aspect === aspect);
  if (before !== undefined && before.at > at) return false;
  const isNews = before?.value !== value;
  const news = isNews ? { value, actor, at } : { at };
  await db
    .insertInto('pager_state')
    .values({ pagerduty_id: pagerdutyId, aspect, value, actor, at })
    .onConflict((conflict) =>
      conflict.columns(['pagerduty_id', 'aspect']).doUpdateSet(news).where('pager_state.at', '<=', at),
    )
    .execute();
  return isNews;
}

export async function pagerStatesOf(db: Db, pagerdutyId: string): Promise<PagerState[]> {
  return db.selectFrom('pager_state').selectAll().where('pagerduty_id', '=', pagerdutyId).execute();
}

/** True when PagerDuty said that it is resolved there. */
export async function isOverInPager(
  db: Db,
  { pagerdutyId }: { pagerdutyId: string | null },
): Promise<boolean> {
  if (pagerdutyId === null) return false;
  const states = await pagerStatesOf(db, pagerdutyId);
  return states.some(({ aspect, value }) => aspect === 'status' && value === 'resolved');
}

/** What of ours stands behind an incident of PagerDuty: a page or ticket, or a page of people by name (`key`). */
export interface PagedIncident {
  incidentId: number;
  purpose: 'page' | 'ticket' | 'people';
}

/** Policy: on-call who is called again because nobody took the page takes it by answering that call. */
const CALLED_AGAIN = 'ladder:acknowledge';

export async function pagedBy(db: Db, pagerdutyId: string): Promise<PagedIncident[]> {
  const pages = await db
    .selectFrom('page')
    .select(['incident_id', 'purpose'])
    .where(sql`receipt ->> 'pagerdutyId'`, '=', pagerdutyId)
    .execute();
  const people = await db
    .selectFrom('people_page')
    .select(['incident_id', 'key'])
    .where(sql`receipt -> 'own' ->> 'pagerdutyId'`, '=', pagerdutyId)
    .execute();
  return [
    ...pages.map((row) => ({ incidentId: row.incident_id, purpose: row.purpose })),
    ...people.map((row) => ({
      incidentId: row.incident_id,
      purpose: row.key.startsWith(CALLED_AGAIN) ? ('page' as const) : ('people' as const),
    })),
  ];
}

/** An incident of PagerDuty that stands for a live one of ours. */
export interface OpenPage {
  pagerdutyId: string;
  service: string | null;
}

/** Those that were opened for live incidents, pages of people by name included, the newest first. */
export async function openPages(db: Db, limit: number): Promise<OpenPage[]> {
  const { rows } = await sql<{ pagerduty_id: string; service: string | null }>`
    with told as (
      select receipt ->> 'pagerdutyId' as pagerduty_id, incident_id from page where state = 'sent'
      union all
      select receipt -> 'own' ->> 'pagerdutyId', incident_id from people_page)
    select told.pagerduty_id, min(incident.service) as service from told
    join incident on incident.id = told.incident_id
    where told.pagerduty_id is not null and incident.status in (${sql.join([...LIVE])})
    group by told.pagerduty_id
    order by max(incident.id) desc limit ${limit}`.execute(db);
  return rows.map((row) => ({ pagerdutyId: row.pagerduty_id, service: row.service }));
}

/** The pages that went out as events and whose incident in PagerDuty is not known. */
export async function unknownPages(db: Db): Promise<{ incidentId: number; key: string }[]> {
  const rows = await db
    .selectFrom('page')
    .select(['incident_id', sql<string>`receipt ->> 'key'`.as('key')])
    .where('state', '=', 'sent')
    .where(sql`receipt ->> 'via'`, '=', 'events')
    .where(sql`receipt ->> 'pagerdutyId'`, 'is', null)
    .execute();
  return rows.map((row) => ({ incidentId: row.incident_id, key: row.key }));
}

interface Place {
  pagerdutyId: string;
  url: string | null;
}

/** The page that went out under this key as an event has its incident there. */
export async function placePage(db: Db, key: string, at: Place): Promise<void> {
  await sql`update page set receipt = receipt || ${placeOf(at)}::jsonb where receipt ->> 'key' = ${key}`.execute(
    db,
  );
}

/** Every receipt that names one incident of PagerDuty names another one from now on. */
export async function followTo(db: Db, from: string, to: Place): Promise<void> {
  const place = placeOf(to);
  await sql`update page set receipt = receipt || ${place}::jsonb, reason = replace(reason, ${from}, ${to.pagerdutyId})
    where receipt ->> 'pagerdutyId' = ${from}`.execute(db);
  await sql`update people_page set receipt = jsonb_set(receipt, '{own}', (receipt -> 'own') || ${place}::jsonb)
    where receipt -> 'own' ->> 'pagerdutyId' = ${from}`.execute(db);
}

const placeOf = ({ pagerdutyId, url }: Place) => JSON.stringify({ pagerdutyId, url });

/** Remembers a note of ours before it is written there, so that it is known when PagerDuty tells of it. */
export async function keepOwnNote(
  db: Db,
  note: { pagerdutyId: string; text: string; at: Date },
): Promise<void> {
  await db
    .insertInto('pager_note')
    .values({ pagerduty_id: note.pagerdutyId, digest: digestOf(note.text), written_at: note.at })
    .onConflict((conflict) => conflict.columns(['pagerduty_id', 'digest']).doNothing())
    .execute();
}

export async function isOwnNote(db: Db, note: { pagerdutyId: string; text: string }): Promise<boolean> {
  const row = await db
    .selectFrom('pager_note')
    .select('digest')
    .where('pagerduty_id', '=', note.pagerdutyId)
    .where('digest', '=', digestOf(note.text))
    .executeTakeFirst();
  return row !== undefined;
}

/** False when the event was taken before. */
export async function claimEvent(
  db: Db,
  event: { pagerdutyId: string; id: string; at: Date },
): Promise<boolean> {
  const digest = digestOf(`event ${event.id}`);
  const row = await db
    .insertInto('pager_note')
    .values({ pagerduty_id: event.pagerdutyId, digest, written_at: event.at })
    .onConflict((conflict) => conflict.columns(['pagerduty_id', 'digest']).doNothing())
    .returning('digest')
    .executeTakeFirst();
  return row !== undefined;
}

const digestOf = (text: string) => createHash('sha256').update(text.trim()).digest('hex');
