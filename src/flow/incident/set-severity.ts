import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Severity } from '../../db/schema.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, setSeverity as save } from '../../incident/incident-store.ts';
import { prioritisePage, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { planPages } from './open-incident.ts';
import { expectUpdate, nextUpdateAt } from './update-clock.ts';

type Changed = { kind: 'changed' | 'same' | 'safety-stays-sev1' | 'ended' };

/** A person changes the severity; what follows from the new one (page, ticket) follows at once. */
export async function setSeverity(
  flow: Pick<Flow, 'db' | 'clock' | 'pager' | 'config'>,
  { incident, by, severity }: { incident: Incident; by: string; severity: Severity },
): Promise<Changed> {
  if (!LIVE.includes(incident.status)) return { kind: 'ended' };
  if (incident.category === 'safety' && severity !== 'sev1') return { kind: 'safety-stays-sev1' };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const changed = await changeSeverity(tx, { incident, severity, by, now });
    if (changed === null) return { kind: 'same' };
    await expectUpdate(tx, { incidentId: incident.id, dueAt: nextUpdateAt(flow, changed, now), now });
    await planPages(flow, tx, { incident: { ...changed, source: 'person' }, now });
    return { kind: 'changed' };
  });
}

/** Null when the incident has that severity already. */
export async function changeSeverity(
  tx: Tx,
  change: { incident: Incident; severity: Severity; by: string | null; now: Date },
): Promise<Incident | null> {
  const { incident, severity, by, now } = change;
  const changed = await save(tx, incident.id, severity);
  if (changed === undefined) return null;
  const text = `Severity ${incident.severity} → ${severity}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'severity', actor: by, text });
  await enqueue(tx, [prioritisePage(incident.id, now), refreshCard(incident.id, now)]);
  return changed;
}
