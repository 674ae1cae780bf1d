import type { Db } from '../../db/database.ts';
import { answersTo, countingAnswers } from '../../decision/characteristic-store.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Suspect } from '../../evidence/what-changed.ts';
import { type Incident, type Milestones, nameOf } from '../../incident/incident.ts';
import { milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { releaseOf } from '../../incident/release-store.ts';
import { mitigationsOf, votesOn } from '../../mitigation/mitigation-store.ts';
import { describeSteps, describeValue, parsePlan } from '../../mitigation/plan.ts';
import { readProof } from '../../mitigation/proof.ts';
import { SIGNED, signaturesOf } from '../../postmortem/duty.ts';
import type { EvalCase } from '../../postmortem/eval-case.ts';
import { actionLinksOf } from '../../postmortem/export-store.ts';
import type { MitigationFacts } from '../../postmortem/mitigation-facts.ts';
import type { Impact, PostmortemRecord, TimelineEvent } from '../../postmortem/record.ts';
import { exposure } from '../../sources/call-statistics-store.ts';
import { decisionPath } from '../decide/decision-path.ts';
import type { Flow } from '../flow.ts';
import { describeComponent } from '../ledger/component-text.ts';
import { REVIEW } from '../mitigate/review-break-glass.ts';
import { type StillOn, stillOn } from '../mitigate/still-on.ts';
import { voteFacts } from '../mitigate/vote-facts.ts';
import { presenceEvents, roomMessages } from '../room/room-facts.ts';
import { actionItemsOf } from './action-items.ts';
import { loadDataPoints, passScoreOf, type SignalOfRule, signalFacts } from './data-points.ts';
import { evalCasesOf } from './eval-cases.ts';
import { lessonsOf } from './lessons.ts';
import { NO_EVAL_CASE, noEvalCaseOf } from './no-eval-case.ts';
import { answersOf } from './postmortem-answers.ts';
import { writtenOf } from './written-fields.ts';

/** Entries of the timeline that have a section of their own. */
const LISTED_APART = new Set([
  'answer',
  'action-item',
  'postmortem',
  'exported',
  REVIEW,
  SIGNED,
  NO_EVAL_CASE,
]);

/** Everything that the post-mortem is made of, from the incident's rows, its evidence and its room. */
export async function loadRecord(
  flow: Pick<Flow, 'db' | 'chat' | 'config'>,
  incident: Incident,
): Promise<{ record: PostmortemRecord; cases: EvalCase[] }> {
  const { db } = flow;
  const milestones = await milestonesOf(db, incident.id);
  const evidence = await evidenceOf(db, incident.id);
  const timeline = await timelineOf(db, incident.id);
  const written = writtenOf(timeline);
  const cases = await evalCasesOf(flow, { incident, evidence, milestones });
  const signal: SignalOfRule | undefined = await signalFacts(db, incident);
  const record: PostmortemRecord = {
    incident: { ...factsOf(incident), summary: written.get('summary')?.text },
    milestones: Object.entries(milestones).map(([name, at]) => ({ name: name as keyof Milestones, at })),
    signal,
    impact: withText(
      await impactOf(db, { incident, milestones, passScore: passScoreOf(evidence) }),
      written.get('impact')?.text,
    ),
    changes: ((evidence.changes?.data['suspects'] ?? []) as Suspect[]).map(({ component, from, to, at }) => ({
      component,
      from: describeComponent(from),
      to: describeComponent(to),
      at: new Date(at),
    })),
    answers: answersOf(timeline, {
      incident,
      milestones,
      characteristics: countingAnswers(await answersTo(db, incident.id)),
    }),
    events: [
      ...timeline.filter((entry) => !LISTED_APART.has(entry.kind)).map(eventOf),
      ...(await presenceEvents(db, incident.id)),
    ],
    messages: await roomMessages(flow, incident.id),
    decisionPath: await decisionPath(flow, incident),
    mitigations: await mitigationFacts(db, incident.id, timeline),
    rootCause: await rootCauseFacts(db, incident.id),
    dataPoints: await loadDataPoints(db, evidence),
    lessons: await lessonsOf(db, incident.id, timeline),
    actionItems: actionItemsOf(timeline, await actionLinksOf(db, incident.id)),
    evalCases: cases.map(({ description, proven }) => ({ description, proven })),
    noEvalCaseReason: noEvalCaseOf(timeline),
    signedOff: signaturesOf(timeline),
  };
  return { record, cases };
}

function factsOf(incident: Incident): PostmortemRecord['incident'] {
  return {
    id: nameOf(incident.id),
    title: incident.title,
    category: incident.category,
    severity: incident.severity,
    service: incident.service ?? 'not named',
    environment: incident.environment,
    private: incident.private,
    status: incident.status,
    source: incident.source === 'rule' ? 'rule' : 'declared',
    rule: incident.rule ?? undefined,
  };
}

function eventOf(entry: Awaited<ReturnType<typeof timelineOf>>[number]): TimelineEvent {
  return { at: entry.at, kind: entry.kind, text: entry.text, actor: entry.actor ?? undefined };
}

const withText = (counted: Impact | undefined, text: string | undefined): Impact | undefined =>
  text === undefined ? counted : { ...counted, text };

/** Bad answers, and the users who got one, between the start and the containment. */
async function impactOf(
  db: Db,
  about: { incident: Incident; milestones: Milestones; passScore: number },
): Promise<Impact | undefined> {
  const { incident, milestones, passScore } = about;
  const from = milestones.started ?? milestones.declared;
  const to = milestones.contained ?? milestones.mitigated ?? milestones.resolved;
  if (incident.service === null || from === undefined || to === undefined || to <= from) return undefined;
  const window = { service: incident.service, environment: incident.environment, from, to };
  const { calls, badCalls, exposedUsers } = await exposure(db, window, passScore);
  return calls === 0 ? undefined : { totalRequests: calls, affectedRequests: badCalls, exposedUsers };
}

async function mitigationFacts(
  db: Db,
  incidentId: number,
  timeline: Awaited<ReturnType<typeof timelineOf>>,
): Promise<MitigationFacts[]> {
  const facts: MitigationFacts[] = [];
  const on = await stillOn(db, { incidentId });
  for (const mitigation of await mitigationsOf(db, incidentId)) {
    const { steps } = parsePlan(mitigation.plan);
    const votes = await votesOn(db, mitigation.id);
    facts.push({
      id: String(mitigation.id),
      summary: describeSteps(steps),
      from: steps.map((step) => describeValue(step.from)).join(', '),
      to: steps.map((step) => describeValue(step.to)).join(', '),
      proposedBy: mitigation.proposed_by,
      ...voteFacts(mitigation, votes, timeline),
      status: mitigation.status,
      appliedAt: mitigation.applied_at ?? undefined,
      proof: proofFacts(mitigation.proof),
      ...leaseFacts(on.find(({ mitigationId }) => mitigationId === mitigation.id)),
    });
  }
  return facts;
}

function leaseFacts(on: StillOn | undefined): Partial<MitigationFacts> {
  if (on === undefined) return {};
  const { owner, until, kept } = on;
  return {
    isOn: true,
    leaseOwner: owner ?? undefined,
    leaseUntil: until ?? undefined,
    kept: kept ?? undefined,
  };
}

async function rootCauseFacts(db: Db, incidentId: number): Promise<PostmortemRecord['rootCause']> {
  const { rootCause, signOffs } = await releaseOf(db, incidentId);
  if (rootCause === null) return undefined;
  return {
    text: rootCause.cause,
    by: rootCause.said_by,
    at: rootCause.at,
    signOffs: signOffs.map(({ person, note, at }) => ({ by: person, note: note ?? undefined, at })),
  };
}

function proofFacts(value: unknown): MitigationFacts['proof'] {
  const proof = readProof(value);
  if (proof === null || proof.verdict === 'proving') return undefined;
  const { lower, upper } = proof;
  return {
    verdict: proof.verdict,
    before: proof.before ?? undefined,
    after: proof.after ?? undefined,
    n: proof.n,
    interval: lower === null || upper === null ? undefined : { lower, upper },
    timeToEffectMs: proof.timeToEffectMs ?? undefined,
    servedAt: proof.servedAt === null ? undefined : new Date(proof.servedAt),
  };
}
