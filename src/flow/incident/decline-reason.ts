import { enqueue } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';

/** Adds to a false alarm why it was one; false when it was declined by nobody. */
export async function keepDeclineReason(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, reason }: { incident: Incident; by: string; reason: string },
): Promise<boolean> {
  const now = flow.clock.now();
  const text = `Why it was a false alarm: ${reason}`;
  return flow.db.transaction().execute(async (tx) => {
    const current = await findIncident(tx, incident.id);
    if (current?.status !== 'declined') return false;
    const entry = { incidentId: incident.id, at: now, kind: 'declined-why', actor: by, text };
    await addToTimeline(tx, entry);
    await enqueue(tx, notice(incident.id, now, { text }));
    return true;
  });
}
