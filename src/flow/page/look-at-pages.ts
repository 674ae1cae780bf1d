import { enqueue } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import {
  type OpenPage,
  openPages,
  type PagerState,
  pagerStatesOf,
} from '../../incident/pager-state-store.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import type { PageEvent } from './page-event.ts';
import type { PagerLook } from './pager-port.ts';
import { receivePageEvent } from './take-page-event.ts';

export const LOOK_AT_PAGES = 'look-at-pages';

const EVERY_MINUTES = 5;
/** A request each, one after the other; PagerDuty takes 960 a minute. The others come the next time. */
const MOST_AT_ONCE = 50;

/**
 * At every tick. Policy: webhooks tell what happens in PagerDuty; every five minutes the pages of live incidents are
 * looked at as well, because a subscription may be switched off and a webhook lost.
 */
export async function planLooks(flow: Pick<Flow, 'db' | 'clock' | 'pager'>): Promise<void> {
  if (flow.pager === null) return;
  const now = flow.clock.now();
  const slot = Math.floor(now.getTime() / minutesToMs(EVERY_MINUTES));
  if ((await openPages(flow.db, 1)).length === 0) return;
  await enqueue(flow.db, {
    kind: LOOK_AT_PAGES,
    payload: {},
    runAt: now,
    lane: LOOK_AT_PAGES,
    dedupeKey: `${LOOK_AT_PAGES}:${slot}`,
  });
}

/** Policy: what PagerDuty does not answer now is not asked again for this look; the next one is minutes away. */
export async function lookAtPages(flow: Flow): Promise<void> {
  for (const page of await openPages(flow.db, MOST_AT_ONCE)) {
    const pager = flow.pager?.of(page.service);
    if (pager === undefined || !pager.canAsk) continue;
    try {
      const look = await pager.look(page.pagerdutyId);
      const event = unseen(page, look, await pagerStatesOf(flow.db, page.pagerdutyId));
      if (event !== null) await receivePageEvent(flow, event);
    } catch (thrown) {
      if (!(thrown instanceof ExternalError)) throw thrown;
      flow.log.warn({ page: page.pagerdutyId, error: thrown.message }, 'a page could not be looked at');
      if (thrown.retryable) return;
    }
  }
}

/**
 * What a webhook should have told, as that webhook; null where nothing is new. It is dated by the look: whatever
 * happened before and is told later is older than what is known.
 */
export function unseen(
  { pagerdutyId }: Pick<OpenPage, 'pagerdutyId'>,
  look: PagerLook,
  states: readonly Pick<PagerState, 'aspect' | 'value'>[],
): PageEvent | null {
  const known = (aspect: PagerState['aspect']) => states.find((state) => state.aspect === aspect)?.value;
  const type =
    typeOf(look, known('status')) ??
    ((known('priority') ?? look.priority ?? '') === (look.priority ?? '')
      ? null
      : 'incident.priority_updated');
  if (type === null) return null;
  const { status, urgency, key, url, priority, assignees, mergedInto, by, since, askedAt } = look;
  const what = [status, priority ?? '', (since ?? askedAt).toISOString()].join(' ');
  return {
    id: `look ${pagerdutyId} ${what}`,
    type,
    at: askedAt.toISOString(),
    agent: type === 'incident.priority_updated' ? null : by,
    pagerdutyId,
    incident: { status, urgency, key, url, priority, assignees, mergedInto },
    note: null,
    responder: null,
    update: null,
  };
}

/** PagerDuty opens an incident as triggered; what is kept of one that was taken back is in our words. */
function typeOf({ status }: PagerLook, known = 'triggered'): string | null {
  if (status === known) return null;
  if (status === 'acknowledged') return 'incident.acknowledged';
  if (status === 'resolved') return 'incident.resolved';
  if (known === 'acknowledged') return 'incident.unacknowledged';
  return known === 'resolved' ? 'incident.reopened' : null;
}
