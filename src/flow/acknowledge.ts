import { enqueue } from '../db/jobs.ts';
import { settleClocks } from '../incident/clock-store.ts';
import { type Incident, LIVE } from '../incident/incident.ts';
import { addToTimeline, reach, setCommanderIfNone } from '../incident/incident-store.ts';
import { refreshCard, settlePages } from './effects.ts';
import type { Flow } from './flow.ts';

/** The first who says so has it: PagerDuty is acknowledged and they command until someone takes over. */
export async function acknowledge(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by }: { incident: Incident; by: string },
): Promise<{ kind: 'acknowledged' } | { kind: 'already' } | { kind: 'ended' }> {
  if (!LIVE.includes(incident.status)) return { kind: 'ended' };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const isFirst = await reach(tx, {
      incidentId: incident.id,
      name: 'acknowledged',
      at: now,
      recordedAt: now,
      by,
    });
    if (!isFirst) return { kind: 'already' };
    await setCommanderIfNone(tx, incident.id, by);
    await settleClocks(tx, { incidentId: incident.id, kinds: ['lead'], state: 'met', at: now });
    const text = 'Acknowledged; commands the incident.';
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'acknowledged', actor: by, text });
    await enqueue(tx, [settlePages(incident.id, 'acknowledged', now), refreshCard(incident.id, now)]);
    return { kind: 'acknowledged' };
  });
}
