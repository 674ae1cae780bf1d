import canonicalize from 'canonicalize';
import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { recovered } from '../detection/recovery.ts';
import { QUALITY_SCORE } from '../detection/rules/quality-score.ts';
import { messageOf } from '../errors.ts';
import type { Incident } from '../incident/incident.ts';
import {
  addToTimeline,
  findIncident,
  milestonesOf,
  moveStatus,
  RECORDED_BY,
  reach,
  takeBack,
  troubledTimes,
} from '../incident/incident-store.ts';
import { audit } from '../mitigation/audit-store.ts';
import { type Mitigation, mitigationsIn, moveMitigation, saveProof } from '../mitigation/mitigation-store.ts';
import { describeSteps, type Plan, parsePlan } from '../mitigation/plan.ts';
import {
  isWanted,
  judgeProof,
  type MetricProof,
  type ProofJudgement,
  type ProofReport,
} from '../mitigation/proof.ts';
import { type ServedVariant, scoreSummary, servedSince } from '../sources/call-statistics-store.ts';
import { approverIds } from './approvers.ts';
import { notice, refreshCard, showReceipt } from './effects.ts';
import type { Flow } from './flow.ts';
import { percent } from './verdict-text.ts';

type Proving = Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;

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

interface Measured {
  before: number | null;
  after: number | null;
  lower: number | null;
  upper: number | null;
  n: number;
}

async function prove(flow: Proving, mitigation: Mitigation): Promise<void> {
  const { applied_at: appliedAt, prove_by: proveBy, incident_id: incidentId } = mitigation;
  const incident = incidentId === null ? undefined : await findIncident(flow.db, incidentId);
  if (appliedAt === null || proveBy === null || incident === undefined) return;
  const plan = parsePlan(mitigation.plan);
  const now = flow.clock.now();
  const variants = await servedSince(flow.db, { ...plan, since: appliedAt });
  const wanted = variants.filter((variant) => isWanted(plan.steps, variant));
  const { metric, measured } = await measure(flow, { plan, incident, wanted, now });
  const judgement = judgeProof({ steps: plan.steps, appliedAt, proveBy, now, variants, metric });
  const report = reportOf(judgement, measured, appliedAt);
  await flow.db
    .transaction()
    .execute((tx) => settle(flow, tx, { mitigation, incident, plan, judgement, report, now }));
}

/** The metric that tripped, over the calls that the wanted state served. */
async function measure(
  flow: Proving,
  about: { plan: Plan; incident: Incident; wanted: ServedVariant[]; now: Date },
): Promise<{ metric: MetricProof | null; measured: Measured }> {
  const { plan, incident, wanted } = about;
  const nothing = { before: null, after: null, lower: null, upper: null, n: total(wanted, 'n') };
  if (plan.rule === 'quality.format') return formatProof(wanted);
  if (plan.rule !== 'quality.score') return { metric: null, measured: nothing };
  const baseline = await baselineOf(flow, about);
  if (baseline.mean === null) return { metric: null, measured: nothing };
  const during = await duringIncident(flow, incident);
  return scoreProof(wanted, { baselineMean: baseline.mean, before: during });
}

function formatProof(wanted: readonly ServedVariant[]): { metric: MetricProof; measured: Measured } {
  const n = total(wanted, 'formatted');
  const seen = recovered({ rule: 'quality.format', n, passed: total(wanted, 'formatPassed') });
  const line = `Format compliance ${seen.value === null ? 'unknown' : percent(seen.value)} (n = ${n}${interval(seen)}).`;
  const measured = { before: null, after: seen.value, lower: seen.lower, upper: seen.upper, n };
  return { metric: { state: seen.state, n, needed: seen.needed, line }, measured };
}

function scoreProof(
  wanted: readonly ServedVariant[],
  known: { baselineMean: number; before: number | null },
): { metric: MetricProof; measured: Measured } {
  const n = total(wanted, 'scored');
  const sum = total(wanted, 'scoreSum');
  const mean = n === 0 ? null : sum / n;
  const variance =
    n < 2 || mean === null ? null : Math.max(0, (total(wanted, 'scoreSquares') - n * mean ** 2) / (n - 1));
  const window = { n, mean, sd: variance === null ? null : Math.sqrt(variance) };
  const seen = recovered({ rule: 'quality.score', baselineMean: known.baselineMean, window });
  const was = known.before === null ? '' : `${known.before.toFixed(2)} → `;
  const is = seen.value === null ? 'unknown' : seen.value.toFixed(2);
  const line = `Quality score ${was}${is}, baseline ${known.baselineMean.toFixed(2)} (n = ${n}${interval(seen)}).`;
  const measured = { before: known.before, after: seen.value, lower: seen.lower, upper: seen.upper, n };
  return { metric: { state: seen.state, n, needed: seen.needed, line }, measured };
}

function interval({ lower, upper }: { lower: number | null; upper: number | null }): string {
  return lower === null || upper === null ? '' : `, 90 % interval ${lower.toFixed(2)}–${upper.toFixed(2)}`;
}

async function baselineOf(flow: Proving, { plan, now }: { plan: Plan; now: Date }) {
  const from = new Date(now.getTime() - QUALITY_SCORE.baselineMs);
  const excluding = await troubledTimes(flow.db, { ...plan, since: from, now });
  return scoreSummary(flow.db, { ...plan, from, to: now, excluding });
}

/** The mean score between the estimated start and the first containment. */
async function duringIncident(flow: Proving, incident: Incident): Promise<number | null> {
  const { started, contained, declared } = await milestonesOf(flow.db, incident.id);
  const from = started ?? declared;
  if (from === undefined || contained === undefined || incident.service === null) return null;
  const about = { service: incident.service, environment: incident.environment };
  return (await scoreSummary(flow.db, { ...about, from, to: contained, excluding: [] })).mean;
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

async function settle(flow: Proving, tx: Tx, settlement: Settlement): Promise<void> {
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
  const text = `${describeSteps(plan.steps)}: ${judgement.verdict}. ${judgement.lines.join(' ')}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: judgement.verdict, actor: null, text });
  await enqueue(tx, [showReceipt(incident.id, id, now), refreshCard(incident.id, now)]);
  if (judgement.verdict === 'proven') await markMitigated(tx, { incident, plan, now });
  else await callForPeople(flow, tx, settlement);
}

/** Mitigated: the metric that tripped has recovered. A disabled feature is contained, not mitigated. */
async function markMitigated(tx: Tx, what: { incident: Incident; plan: Plan; now: Date }): Promise<void> {
  const { incident, plan, now } = what;
  if (plan.steps.some((step) => step.action === 'disable')) return;
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
async function callForPeople(flow: Proving, tx: Tx, settlement: Settlement): Promise<void> {
  const { incident, judgement, plan, now } = settlement;
  const failed = judgement.verdict === 'not-contained';
  if (failed && (await takeBack(tx, incident.id, ['contained']))) {
    await moveStatus(tx, { id: incident.id, from: ['contained'], to: 'open' });
  }
  const headline = failed ? 'NOT CONTAINED' : 'UNPROVEN';
  const next = 'Next: `/llm-incident tree` for the next branch, or *Contain* on the card.';
  const text = `${headline}: ${describeSteps(plan.steps)}. ${judgement.lines.join(' ')} ${next}`;
  const commander = incident.commander === null ? approverIds(flow, incident.service) : [incident.commander];
  await enqueue(tx, notice(incident.id, now, { text, mention: commander }));
}

type Countable = 'n' | 'scored' | 'scoreSum' | 'scoreSquares' | 'formatted' | 'formatPassed';

const total = (variants: readonly ServedVariant[], key: Countable) =>
  variants.reduce((sum, variant) => sum + variant[key], 0);
