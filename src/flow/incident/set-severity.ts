import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Severity } from '../../db/schema.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, lockLive, setSeverity as save } from '../../incident/incident-store.ts';
import { prioritisePage, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { raiseLadder } from './contain-ladder.ts';
import { planPages } from './open-incident.ts';
import { expectUpdate, nextUpdateAt } from './update-clock.ts';

type Changed =
  | { kind: 'changed' | 'same' | 'safety-stays-sev1' | 'ended' }
  /** Somebody else has changed it since it was read. */
  | { kind: 'moved'; severity: Severity };

/**
 * A person changes the severity; what follows from the new one (page, ticket) follows at once. Policy: it is changed
 * from what that person saw, because who may lower it is not who may raise it.
 */
export async function setSeverity(
  flow: Pick<Flow, 'db' | 'clock' | 'pager' | 'config'>,
  { incident, by, severity }: { incident: Incident; by: string; severity: Severity },
): Promise<Changed> {
  if (incident.category === 'safety' && severity !== 'sev1') return { kind: 'safety-stays-sev1' };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const current = await lockLive(tx, incident.id);
    if (current === undefined) return { kind: 'ended' };
    if (current.severity !== incident.severity && current.severity !== severity)
      return { kind: 'moved', severity: current.severity };
    const changed = await changeSeverity(flow, tx, { incident: current, severity, by, now });
    if (changed === null) return { kind: 'same' };
    await expectUpdate(tx, { incidentId: incident.id, dueAt: nextUpdateAt(flow, changed, now), now });
    await planPages(flow, tx, { incident: { ...changed, source: 'person' }, now });
    return { kind: 'changed' };
  });
}

/** Null when the incident has that severity already, or has ended. */
export async function changeSeverity(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  change: { incident: Incident; severity: Severity; by: string | null; now: Date },
): Promise<Incident | null> {
  const { severity, by, now } = change;
  const incident = await lockLive(tx, change.incident.id);
  const changed = incident && (await save(tx, incident.id, severity));
  if (incident === undefined || changed === undefined) return null;
  const text = `Severity ${incident.severity} → ${severity}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'severity', actor: by, text });
  await raiseLadder(flow, tx, { before: incident, incident: changed, now });
  await enqueue(tx, [prioritisePage(incident.id, now), refreshCard(incident.id, now)]);
  return changed;
}
