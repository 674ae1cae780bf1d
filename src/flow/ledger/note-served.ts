import { appendChanges, lockLedger, newestOf } from '../../evidence/ledger-store.ts';
import { changesRead } from '../../evidence/target-reading.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { componentsIn, restingState } from '../../mitigation/ledger-component.ts';
import type { Mitigation } from '../../mitigation/mitigation-store.ts';
import type { Plan } from '../../mitigation/plan.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { actorOf } from './change-author.ts';

/**
 * Keeps in the ledger what the read-back of a run has just shown, so that what is served now is known before the target
 * is watched next. Policy: in the target's name, for it said so; a target that was never read waits for its first reading.
 */
export async function noteServed(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { id, proposed_by: proposedBy }: Mitigation,
  { incidentId, service, environment, steps }: Plan,
): Promise<void> {
  const source = serviceConfig(flow, service)?.target?.type;
  if (source === undefined) return;
  const incident = incidentId === null ? undefined : await findIncident(flow.db, incidentId);
  const actor = actorOf({ id, incidentId, isPrivate: incident?.private ?? false, proposedBy });
  const read = componentsIn(Object.fromEntries(steps.map(({ setting, to }) => [setting, to])));
  const at = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await lockLedger(tx);
    const known = await newestOf(tx, { service, environment, source });
    if (known.size === 0) return;
    const changes = changesRead({
      known,
      read,
      // Of what the plan is not about, nothing was read.
      restingState: (component, which) =>
        which === 'before' ? restingState(component, { isWhole: true }) : null,
    });
    const of = { service, environment, source, at, recordedAt: at, actor };
    await appendChanges(
      tx,
      changes.map((change) => ({ ...of, ...change })),
    );
  });
}
