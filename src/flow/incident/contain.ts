import { enqueue } from '../../db/jobs.ts';
import { settleClocks } from '../../incident/clock-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, lockLive, moveStatus, reach } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { CONTAINMENT_CLOCKS } from './contain-ladder.ts';
import { tellContained } from './tell-contained.ts';

/** A person says that users are no longer exposed, and how; the read-back of a target says the same by itself.
 * Policy: what has ended meanwhile is not contained any more. */
export async function contain(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, how }: { incident: Incident; by: string; how: string },
): Promise<{ kind: 'contained' } | { kind: 'already' } | { kind: 'ended' }> {
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    if ((await lockLive(tx, incident.id)) === undefined) return { kind: 'ended' };
    const isFirst = await reach(tx, {
      incidentId: incident.id,
      name: 'contained',
      at: now,
      recordedAt: now,
      by,
    });
    if (!isFirst) return { kind: 'already' };
    await moveStatus(tx, { id: incident.id, from: ['triage', 'open'], to: 'contained' });
    await settleClocks(tx, { incidentId: incident.id, kinds: CONTAINMENT_CLOCKS, state: 'met', at: now });
    const text = `Contained${how === '' ? '' : `: ${how}`}.`;
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'contained', actor: by, text });
    await audit(tx, { at: now, actor: by, action: 'incident.contained', subject: `INC-${incident.id}` });
    await tellContained(tx, { incidentId: incident.id, how, now });
    await enqueue(tx, refreshCard(incident.id, now));
    return { kind: 'contained' };
  });
}
