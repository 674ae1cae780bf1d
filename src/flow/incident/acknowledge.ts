import { enqueue } from '../../db/jobs.ts';
import { settleClocks } from '../../incident/clock-store.ts';
import { type Incident, isPerson } from '../../incident/incident.ts';
import { addToTimeline, lockLive, reach } from '../../incident/incident-store.ts';
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
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    if ((await lockLive(tx, incident.id)) === undefined) return { kind: 'ended' };
    const isFirst = await reach(tx, {
      incidentId: incident.id,
      name: 'acknowledged',
      at: now,
      recordedAt: now,
      by,
    });
    if (!isFirst) return { kind: 'already' };
    // Somebody who is known to PagerDuty alone cannot be mentioned, and so cannot command the room.
    const commands = isPerson(by) && (await setCommanderIfNone(tx, incident.id, by));
    if (commands) await auditRole(tx, { incident, by, role: 'commander', to: by, now });
    await settleClocks(tx, { incidentId: incident.id, kinds: ACKNOWLEDGEMENT_CLOCKS, state: 'met', at: now });
    const alone = isPerson(by) ? 'Acknowledged.' : 'Acknowledged in PagerDuty.';
    const text = commands ? 'Acknowledged, and commands the incident.' : alone;
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'acknowledged', actor: by, text });
    await enqueue(tx, [settlePages(incident.id, 'acknowledged', now), refreshCard(incident.id, now)]);
    return { kind: 'acknowledged' };
  });
}
