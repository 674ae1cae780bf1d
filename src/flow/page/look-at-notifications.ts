import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { pagesOf } from '../../incident/page-store.ts';
import { notePagerState, pagerStatesOf } from '../../incident/pager-state-store.ts';
import { findPeoplePage } from '../../incident/people-page-store.ts';
import { lookAtNotifications, MOST_LOOKS, notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import type { PageReceipt, Pager, PagerNotification, PeopleReceipt } from './pager-port.ts';

const looking = z.object({
  incidentId: z.number(),
  key: z.string().optional(),
  look: z.number(),
  since: z.coerce.date(),
});
type Looking = z.infer<typeof looking>;

/** What is looked at: incidents of PagerDuty, and the users who must have been notified; null: anybody. */
interface Expected {
  places: string[];
  userIds: string[] | null;
}

/**
 * The receipt of a page: whom PagerDuty has really notified, by its own log. Policy: looked at after one, three and ten
 * minutes; when nobody (or not everybody who was called) was notified by then, the room is told.
 */
export async function lookWhoWasNotified(flow: Flow, job: Job): Promise<void> {
  const asked = looking.parse(job.payload);
  const incident = await findIncident(flow.db, asked.incidentId);
  if (incident === undefined || flow.pager === null) return;
  const pager = flow.pager.of(incident.service);
  const expected = await expectedOf(flow, asked);
  if (!pager.canAsk || expected.places.length === 0) return;
  const seen = await askPlaces(pager, expected);
  if (seen === null) return again(flow, asked);
  const missing = missingOf(expected, seen);
  const isAnswered = expected.userIds === null && (await wasAnswered(flow, expected.places));
  if ((missing.length > 0 || seen.length === 0) && !isAnswered && asked.look < MOST_LOOKS)
    return again(flow, asked);
  await record(flow, asked, { seen, missing: isAnswered ? [] : missing, place: expected.places[0] ?? '' });
}

async function expectedOf(flow: Flow, { incidentId, key }: Looking): Promise<Expected> {
  if (key === undefined) {
    const page = (await pagesOf(flow.db, incidentId)).find((row) => row.purpose === 'page');
    const { pagerdutyId } = (page?.receipt ?? { pagerdutyId: null }) as Pick<PageReceipt, 'pagerdutyId'>;
    return { places: pagerdutyId === null ? [] : [pagerdutyId], userIds: null };
  }
  const called = await findPeoplePage(flow.db, { incidentId, key });
  const receipt = (called?.receipt ?? null) as PeopleReceipt | null;
  if (receipt === null) return { places: [], userIds: [] };
  const places = [receipt.on, receipt.own?.pagerdutyId ?? null].filter((place) => place !== null);
  return { places, userIds: [...receipt.asked, ...receipt.assigned] };
}

/** Null when the log could not be read: the page itself has gone out, and it is looked at again. */
async function askPlaces(pager: Pager, { places, userIds }: Expected): Promise<PagerNotification[] | null> {
  try {
    const logs = await Promise.all(places.map((place) => pager.notifications(place)));
    return logs.flat().filter(({ userId }) => userIds === null || userIds.includes(userId));
  } catch (thrown) {
    if (thrown instanceof ExternalError && !thrown.retryable) return null;
    throw thrown;
  }
}

function missingOf({ userIds }: Expected, seen: readonly PagerNotification[]): string[] {
  if (userIds === null) return seen.length === 0 ? ['nobody was notified'] : [];
  return userIds.filter((id) => !seen.some(({ userId }) => userId === id));
}

/** Who answers before the phone rings needs no ringing. */
async function wasAnswered(flow: Flow, places: readonly string[]): Promise<boolean> {
  const states = await Promise.all(places.map((place) => pagerStatesOf(flow.db, place)));
  return states.flat().some(({ aspect, value }) => aspect === 'status' && value !== 'triggered');
}

async function again(flow: Flow, { incidentId, key, look, since }: Looking): Promise<void> {
  if (look >= MOST_LOOKS) return;
  const about = { incidentId, look: look + 1, ...(key === undefined ? {} : { key }) };
  await enqueue(flow.db, lookAtNotifications(about, since));
}

async function record(
  flow: Flow,
  { incidentId, key }: Looking,
  found: { seen: PagerNotification[]; missing: string[]; place: string },
): Promise<void> {
  const now = flow.clock.now();
  const { seen, missing, place } = found;
  if (seen.length === 0 && missing.length === 0) return;
  const text = key === undefined ? describePage(seen) : await describeCall(flow, incidentId, found);
  await flow.db.transaction().execute(async (tx) => {
    const entry = { incidentId, at: now, kind: 'notified', actor: null };
    await addToTimeline(tx, { ...entry, text: `PagerDuty: ${text}.` });
    if (key === undefined)
      await notePagerState(tx, { pagerdutyId: place, aspect: 'notified', value: text, actor: null, at: now });
    await enqueue(tx, refreshCard(incidentId, now));
    if (missing.length > 0)
      await enqueue(tx, notice(incidentId, now, { text: `PagerDuty: ${text}.`, aloud: true }));
  });
}

function describePage(seen: readonly PagerNotification[]): string {
  return seen.length === 0 ? 'nobody was notified after ten minutes' : `notified ${listOf(seen)}`;
}

async function describeCall(
  flow: Flow,
  incidentId: number,
  { seen, missing }: { seen: PagerNotification[]; missing: string[] },
): Promise<string> {
  const service = (await findIncident(flow.db, incidentId))?.service ?? null;
  const pager = flow.pager?.of(service);
  const names = await Promise.all(missing.map(async (id) => (await pager?.user(id))?.name ?? id));
  const parts = [
    ...(seen.length === 0 ? [] : [`notified ${listOf(seen)}`]),
    ...(names.length === 0 ? [] : [`not notified after ten minutes: ${names.join(', ')}`]),
  ];
  return parts.join('; ');
}

/** Each person once, with every way that reached out to them. */
function listOf(seen: readonly PagerNotification[]): string {
  const ways = Map.groupBy(seen, ({ userId }) => userId);
  return [...ways.values()]
    .map((ofOne) => {
      const how = [...new Set(ofOne.map((one) => one.how).filter((one) => one !== ''))];
      return `${ofOne[0]?.name}${how.length === 0 ? '' : ` by ${how.join(' and ')}`}`;
    })
    .join(', ');
}
