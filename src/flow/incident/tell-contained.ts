import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { nameOf } from '../../incident/incident.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import { notice } from '../effects.ts';

/** Policy: that users are safe stands in the room for everybody and mentions nobody. */
export async function tellContained(
  tx: Tx,
  { incidentId, how, now }: { incidentId: number; how: string; now: Date },
): Promise<void> {
  const { declared } = await milestonesOf(tx, incidentId);
  const minutes = Math.floor((now.getTime() - (declared ?? now).getTime()) / 60_000);
  const why = how.trim() === '' ? '' : `: ${how.trim()}`;
  const text = `${nameOf(incidentId)} is contained after ${minutes} min${why}.`;
  await enqueue(tx, notice(incidentId, now, { text, aloud: true }));
}
