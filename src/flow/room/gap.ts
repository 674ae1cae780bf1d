import type { NewJob } from '../../db/jobs.ts';

export const RECONCILE_ROOM = 'reconcile-room';

/** Policy: a room that was silent for so long may have been silent only towards us. */
export const GAP_MS = 10 * 60_000;
/** Slack delivers within seconds; what comes later was delivered again, and others may be lost. */
export const LATE_MS = 60_000;

/** Reads what happened in a live room meanwhile; once for all that asks within the same stretch of time. */
export function reconcile(incidentId: number, now: Date, withinMs = GAP_MS): NewJob {
  return {
    kind: RECONCILE_ROOM,
    payload: { incidentId, readFrom: now.toISOString() },
    runAt: now,
    lane: `${RECONCILE_ROOM}:${incidentId}`,
    dedupeKey: `${RECONCILE_ROOM}:${incidentId}:${withinMs}:${Math.floor(now.getTime() / withinMs)}`,
  };
}
