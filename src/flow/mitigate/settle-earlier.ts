import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { isSameSetting } from '../../mitigation/freer.ts';
import { effectOn, IN_FORCE } from '../../mitigation/in-force.ts';
import { endLease, mitigationsOn, setReplaced } from '../../mitigation/lease-store.ts';
import { type Mitigation, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan, type Step } from '../../mitigation/plan.ts';
import { refreshCard, showLease, showProposal, showReceipt } from '../effects.ts';

interface Applied {
  mitigation: Mitigation;
  plan: Plan;
  now: Date;
}

/**
 * What a mitigation that was just applied did to earlier ones of the service, in whichever incident: what it took back
 * is in force no more, and what it lies over is not what is served. A plan that did nothing but take back, by whatever
 * name, leaves nothing of its own in force.
 */
export async function settleEarlier(tx: Tx, { mitigation, plan, now }: Applied): Promise<void> {
  const { service, environment, id } = mitigation;
  const served = new Set((await mitigationsOn(tx, { service, environment })).map((one) => one.id));
  const back: Step[] = [];
  for (const earlier of await mitigationsOn(tx, { service, environment, covered: true })) {
    if (earlier.id === id) continue;
    const effect =
      earlier.id === plan.wish.undoes ? 'taken-back' : effectOn(parsePlan(earlier.plan).steps, plan);
    if (effect === 'taken-back') {
      back.push(...parsePlan(earlier.plan).steps);
      await markReverted(tx, earlier, { by: id, now });
    } else if (effect === 'replaced' && served.has(earlier.id))
      await markReplaced(tx, earlier, { by: id, now });
  }
  const isBack = plan.steps.every((step) =>
    back.some(({ setting, from }) => isSameSetting(setting, step.setting) && from === step.to),
  );
  if (isBack) await endLease(tx, id);
}

async function markReverted(tx: Tx, earlier: Mitigation, { by, now }: { by: number; now: Date }) {
  const set = { settled_at: now, outcome: `Taken back by mitigation ${by}.` };
  const moved = await moveMitigation(tx, { id: earlier.id, from: IN_FORCE, to: 'reverted', set });
  if (moved === undefined) return;
  const subject = `mitigation ${earlier.id}`;
  await audit(tx, { at: now, actor: 'llm-incident', action: 'mitigation.reverted', subject, data: { by } });
  await showAgain(tx, moved, now);
}

async function markReplaced(tx: Tx, earlier: Mitigation, { by, now }: { by: number; now: Date }) {
  await setReplaced(tx, earlier.id, by);
  const subject = `mitigation ${earlier.id}`;
  await audit(tx, { at: now, actor: 'llm-incident', action: 'mitigation.replaced', subject, data: { by } });
  if (earlier.incident_id !== null) await enqueue(tx, refreshCard(earlier.incident_id, now));
}

/** Everything in its room that speaks of it. */
export async function showAgain(tx: Tx, mitigation: Mitigation, now: Date): Promise<void> {
  const { id, incident_id: incidentId } = mitigation;
  if (incidentId === null) return;
  await enqueue(tx, [
    showProposal(incidentId, id, now),
    ...(mitigation.applied_at === null ? [] : [showReceipt(incidentId, id, now)]),
    ...(mitigation.lease_asked_for === null ? [] : [showLease(incidentId, id, now)]),
    refreshCard(incidentId, now),
  ]);
}
