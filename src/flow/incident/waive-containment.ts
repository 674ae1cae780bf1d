import { enqueue } from '../../db/jobs.ts';
import { settleClocks } from '../../incident/clock-store.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, lockIncident, milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { CONTAINMENT_CLOCKS, WAIVED } from './contain-ladder.ts';

/**
 * Somebody decides that this incident is not contained first. Policy: only with a reason, which stands on the card, on the
 * timeline and on the audit trail; the clocks of containment stop, those of the acknowledgement run on.
 */
export async function waiveContainment(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, reason }: { incident: Incident; by: string; reason: string },
): Promise<{ kind: 'waived' | 'no-reason' | 'contained' | 'already' | 'ended' }> {
  const why = reason.trim();
  if (why === '') return { kind: 'no-reason' };
  const now = flow.clock.now();
  const { id: incidentId } = incident;
  return flow.db.transaction().execute(async (tx) => {
    const current = await lockIncident(tx, incidentId);
    if (current === undefined || !LIVE.includes(current.status)) return { kind: 'ended' };
    if ((await milestonesOf(tx, incidentId)).contained !== undefined) return { kind: 'contained' };
    if ((await timelineOf(tx, incidentId)).some(({ kind }) => kind === WAIVED)) return { kind: 'already' };
    await settleClocks(tx, { incidentId, kinds: CONTAINMENT_CLOCKS, state: 'stopped', at: now });
    await addToTimeline(tx, { incidentId, at: now, kind: WAIVED, actor: by, text: why });
    await audit(tx, {
      at: now,
      actor: by,
      action: 'incident.containment-waived',
      subject: `INC-${incidentId}`,
    });
    await enqueue(tx, refreshCard(incidentId, now));
    return { kind: 'waived' };
  });
}
