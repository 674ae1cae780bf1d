import canonicalize from 'canonicalize';
import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { messageOf } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import {
  addToTimeline,
  findIncident,
  moveStatus,
  RECORDED_BY,
  reach,
  takeBack,
} from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import {
  type Mitigation,
  mitigationsIn,
  moveMitigation,
  saveProof,
} from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan } from '../../mitigation/plan.ts';
import { judgeProof, type ProofJudgement, type ProofReport } from '../../mitigation/proof.ts';
import { metricFor } from '../../mitigation/proof-table.ts';
import { isWanted, servedAloneSince } from '../../mitigation/served-proof.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { refreshCard, showReceipt, showTree } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { liveTraffic } from '../ledger/live-traffic.ts';
import { push } from '../room/push-effects.ts';
import { type Measured, measureRecovery } from './measure-recovery.ts';

type Proving = Pick<Flow, 'db' | 'clock' | 'config' | 'log' | 'metricSourceFor'>;

/** Looks at the live calls of every applied mitigation and settles those whose proof is there or overdue. */
export async function proveMitigations(flow: Proving): Promise<void> {
  for (const mitigation of await mitigationsIn(flow.db, ['applied'])) {
    try {
      await prove(flow, mitigation);
    } catch (thrown) {
      flow.log.error(
        { mitigation: mitigation.id, error: messageOf(thrown) },
        'a mitigation could not be proven',
      );
    }
  }
}

async function prove(flow: Proving, mitigation: Mitigation): Promise<void> {
  const { applied_at: appliedAt, prove_by: proveBy, incident_id: incidentId } = mitigation;
  const incident = incidentId === null ? undefined : await findIncident(flow.db, incidentId);
  if (appliedAt === null || proveBy === null || incident === undefined) return;
  const plan = parsePlan(mitigation.plan);
  const { steps } = plan;
  const now = flow.clock.now();
  const traffic = await liveTraffic(flow.db, { plan, appliedAt, now });
  const wanted = traffic.variants.filter((variant) => isWanted(steps, variant));
  const calls = wanted.reduce((total, variant) => total + variant.n, 0);
  const since = servedAloneSince(steps, traffic);
  const { metric, measured } =
    metricFor(steps) === 'apart'
      ? { metric: null, measured: { before: null, after: null, lower: null, upper: null, n: calls } }
      : await measureRecovery(flow, { plan, incident, since, now, calls });
  const judgement = judgeProof({ ...traffic, steps, proveBy, isUndo: plan.wish.kind === 'undo', metric });
  const report = reportOf(judgement, measured, appliedAt);
  await flow.db
    .transaction()
    .execute((tx) => settle(tx, { mitigation, incident, plan, judgement, report, now }));
}

function reportOf(judgement: ProofJudgement, measured: Measured, appliedAt: Date): ProofReport {
  const { verdict, lines, next, servedAt } = judgement;
  return {
    verdict,
    lines,
    next,
    ...measured,
    servedAt: servedAt?.toISOString() ?? null,
    timeToEffectMs: servedAt === null ? null : Math.max(0, servedAt.getTime() - appliedAt.getTime()),
  };
}

interface Settlement {
  mitigation: Mitigation;
  incident: Incident;
  plan: Plan;
  judgement: ProofJudgement;
  report: ProofReport;
  now: Date;
}

async function settle(tx: Tx, settlement: Settlement): Promise<void> {
  const { mitigation, incident, judgement, report, now, plan } = settlement;
  const isSame = canonicalize(mitigation.proof) === canonicalize(report);
  if (judgement.verdict === 'proving') {
    if (isSame) return;
    await saveProof(tx, mitigation.id, report);
    await enqueue(tx, showReceipt(incident.id, mitigation.id, now));
    return;
  }
  const { id } = mitigation;
  const set = { settled_at: now, proof: report };
  const moved = await moveMitigation(tx, { id, from: ['applied'], to: judgement.verdict, set });
  if (moved === undefined) return;
  await audit(tx, {
    at: now,
    actor: 'llm-incident',
    action: `mitigation.${judgement.verdict}`,
    subject: `mitigation ${id}`,
    data: { n: report.n },
  });
  const text = `${describePlan(plan)}: ${judgement.verdict}. ${judgement.lines.join(' ')}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: judgement.verdict, actor: null, text });
  await enqueue(tx, [showReceipt(incident.id, id, now), refreshCard(incident.id, now)]);
  if (judgement.isMitigated) await markMitigated(tx, { incident, now });
  if (judgement.verdict !== 'proven') await callForPeople(tx, settlement);
}

/** Mitigated: the metric that tripped has recovered. A disabled feature is contained, not mitigated. */
async function markMitigated(tx: Tx, what: { incident: Incident; now: Date }): Promise<void> {
  const { incident, now } = what;
  await moveStatus(tx, { id: incident.id, from: ['triage', 'open', 'contained'], to: 'mitigated' });
  await reach(tx, {
    incidentId: incident.id,
    name: 'mitigated',
    at: now,
    recordedAt: now,
    by: RECORDED_BY.proof,
  });
}

/** It did not help, or nobody can tell: the commander's phone, and the incident counts as exposed again. */
async function callForPeople(tx: Tx, settlement: Settlement): Promise<void> {
  const { incident, judgement, plan, now } = settlement;
  const failed = judgement.verdict === 'not-contained';
  if (failed && (await takeBack(tx, incident.id, ['contained']))) {
    await moveStatus(tx, { id: incident.id, from: ['contained'], to: 'open' });
  }
  const headline = failed ? 'NOT CONTAINED' : 'UNPROVEN';
  const next = failed
    ? 'Next: the tree in the thread of the card offers the next branch; the fallback is on the card.'
    : 'Next: `/llm-incident tree` for the next branch, or the fallback on the card.';
  const text = `${headline}: ${describePlan(plan)}. ${judgement.lines.join(' ')} ${next}`;
  await enqueue(tx, push(incident.id, now, { occasion: failed ? 'not-contained' : 'unproven', text }));
  if (failed) await enqueue(tx, showTree(incident.id, null, now));
}
