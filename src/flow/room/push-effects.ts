import type { NewJob } from '../../db/jobs.ts';
import type { LadderStep } from '../../incident/clock-store.ts';
import { roomLane } from '../effects.ts';
import type { Told } from './push-policy.ts';

/** Tells whoever the policy of pushes names for the occasion, but never `actors`. */
export function push(
  incidentId: number,
  now: Date,
  said: { occasion: Told; text: string; actors?: readonly string[] },
): NewJob {
  return { kind: 'push', payload: { incidentId, ...said }, runAt: now, lane: roomLane(incidentId) };
}

/** The metric of the rule as a picture in the thread of the card; in no lane, because nothing waits for it. */
export function showChart(incidentId: number, now: Date): NewJob {
  return {
    kind: 'show-chart',
    payload: { incidentId },
    runAt: now,
    dedupeKey: `show-chart:${incidentId}`,
  };
}

/** A step of the ladder of an incident that is not taken or not contained; not behind the messages of the room. */
export function climbLadder(step: { incidentId: number; step: LadderStep; dueAt: Date }, now: Date): NewJob {
  return {
    kind: 'climb-ladder',
    payload: { ...step, dueAt: step.dueAt.toISOString(), firedAt: now.toISOString() },
    runAt: now,
    dedupeKey: `climb-ladder:${step.incidentId}:${step.step}:${step.dueAt.toISOString()}`,
  };
}
