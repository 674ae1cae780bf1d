import { subMinutes } from 'date-fns';
import { enqueue } from '../../db/jobs.ts';
import { claimOldCards } from '../../incident/room-card-store.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';

/** Slack takes some fifty edits a minute; half of them are left for what happens. */
const MOST_AT_ONCE = 20;

/**
 * Keeps what the card counts true. Policy: while users are exposed the minutes on it are drawn again every minute for
 * the first hour and every ten minutes after that; an edit pushes no phone.
 */
export async function refreshCards(flow: Pick<Flow, 'db' | 'clock'>): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const claimed = await claimOldCards(tx, {
      now,
      before: subMinutes(now, 10),
      fresh: { since: subMinutes(now, 60), before: subMinutes(now, 1) },
      limit: MOST_AT_ONCE,
    });
    await enqueue(
      tx,
      claimed.map((incidentId) => refreshCard(incidentId, now)),
    );
  });
}
