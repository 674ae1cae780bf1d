import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { settleClocks } from '../../incident/clock-store.ts';
import { addToTimeline, moveStatus, RECORDED_BY, reach } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { contains } from '../../mitigation/contains.ts';
import { type Mitigation, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { refreshCard, showProposal, showReceipt } from '../effects.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { CONTAINMENT_CLOCKS } from '../incident/contain-ladder.ts';
import { tellContained } from '../incident/tell-contained.ts';
import { noteServed } from '../ledger/note-served.ts';
import { leaseOf } from './lease.ts';
import { callAboutRun, type Outcome } from './run-trouble.ts';
import { settleEarlier } from './settle-earlier.ts';

/** Records what came of a run, once, with all that follows from it. */
export async function settleRun(flow: Flow, mitigation: Mitigation, outcome: Outcome): Promise<void> {
  const now = flow.clock.now();
  const plan = parsePlan(mitigation.plan);
  const incidentId = plan.incidentId;
  if (outcome.kind === 'applied') await noteServed(flow, mitigation, plan);
  await flow.db.transaction().execute(async (tx) => {
    const applied = outcome.kind === 'applied';
    const proveBy = new Date(now.getTime() + minutesToMs(flow.config.prove_within_minutes));
    const set = applied
      ? { applied_at: now, prove_by: proveBy, outcome: outcome.note }
      : { settled_at: now, outcome: outcome.note };
    const lease = applied || outcome.kind === 'needs-human' ? leaseOf(flow, mitigation, now) : {};
    const moved = await moveMitigation(tx, {
      id: mitigation.id,
      from: ['running'],
      to: outcome.kind,
      set: { ...set, ...lease },
    });
    if (moved === undefined) return;
    await audit(tx, {
      at: now,
      actor: 'llm-incident',
      action: `mitigation.${outcome.kind}`,
      subject: `mitigation ${mitigation.id}`,
      data: { planHash: mitigation.plan_hash },
    });
    if (incidentId === null) return;
    const text = `${describePlan(plan)}: ${outcome.kind}. ${outcome.note}`;
    await addToTimeline(tx, { incidentId, at: now, kind: `mitigation-${outcome.kind}`, actor: null, text });
    if (applied && contains(plan)) await markContained(tx, { incidentId, how: describePlan(plan), at: now });
    if (outcome.kind === 'failed' || outcome.kind === 'needs-human')
      await callAboutRun(tx, { mitigation: moved, note: outcome.note, now });
    if (applied) await settleEarlier(tx, { mitigation, plan, now });
    const shown = [showProposal(incidentId, mitigation.id, now), showReceipt(incidentId, mitigation.id, now)];
    await enqueue(tx, [...shown, refreshCard(incidentId, now)]);
  });
}

/** Contained: the target's read-back shows the containing state. */
async function markContained(tx: Tx, what: { incidentId: number; how: string; at: Date }): Promise<void> {
  const { incidentId, how, at } = what;
  await moveStatus(tx, { id: incidentId, from: ['triage', 'open'], to: 'contained' });
  const by = RECORDED_BY.readBack;
  if (await reach(tx, { incidentId, name: 'contained', at, recordedAt: at, by }))
    await tellContained(tx, { incidentId, how, now: at });
  await settleClocks(tx, { incidentId, kinds: CONTAINMENT_CLOCKS, state: 'met', at });
}
