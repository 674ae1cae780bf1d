import { enqueue } from '../../db/jobs.ts';
import { settleClocks } from '../../incident/clock-store.ts';
import { type Incident, isPerson, LIVE } from '../../incident/incident.ts';
import { addToTimeline, reach } from '../../incident/incident-store.ts';
import { setCommanderIfNone } from '../../incident/people-store.ts';
import { refreshCard, settlePages } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { ACKNOWLEDGEMENT_CLOCKS } from './contain-ladder.ts';
import { auditRole } from './take-role.ts';

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
    // Somebody who is known to PagerDuty alone cannot be mentioned, and so cannot command the room.
    if (isPerson(by) && (await setCommanderIfNone(tx, incident.id, by)))
      await auditRole(tx, { incident, by, role: 'commander', to: by, now });
    await settleClocks(tx, { incidentId: incident.id, kinds: ACKNOWLEDGEMENT_CLOCKS, state: 'met', at: now });
    const text = isPerson(by) ? 'Acknowledged, and commands the incident.' : 'Acknowledged in PagerDuty.';
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'acknowledged', actor: by, text });
    await enqueue(tx, [settlePages(incident.id, 'acknowledged', now), refreshCard(incident.id, now)]);
    return { kind: 'acknowledged' };
  });
}
