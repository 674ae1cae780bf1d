import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { recordEvaluation } from '../detection/evaluation-store.ts';
import { estimateOnset } from '../detection/onset.ts';
import { QUALITY_FORMAT, qualityFormatVerdict } from '../detection/quality-format.ts';
import { QUALITY_SCORE, qualityScoreVerdict } from '../detection/quality-score.ts';
import { categoryOf, type RuleVerdict, severityOf } from '../detection/rule.ts';
import { type NextSignal, nextSignal, stillPastBound } from '../detection/signal.ts';
import { linkSignal, saveSignal, signalOf } from '../detection/signal-store.ts';
import { messageOf } from '../errors.ts';
import { rowsOf } from '../evidence/ledger-store.ts';
import { effectiveRows } from '../evidence/what-changed.ts';
import { type Incident, pagePlan } from '../incident/incident.ts';
import {
  addToTimeline,
  findLiveAbout,
  moveStatus,
  takeBack,
  troubledTimes,
} from '../incident/incident-store.ts';
import type { Interval } from '../sources/call.ts';
import {
  activeServices,
  formatMinutes,
  formatOfLast,
  type ServiceName,
  scoreMinutes,
  scoreSummary,
} from '../sources/call-statistics-store.ts';
import { bringLedgerUp } from './bring-ledger-up.ts';
import { notice, refreshCard } from './effects.ts';
import type { Flow } from './flow.ts';
import { openIncident, pageNow } from './open-incident.ts';
import { changeSeverity } from './set-severity.ts';
import { describeVerdict, titleOf } from './verdict-text.ts';

const ONSET_LOOK_BACK_MS = [24 * 3_600_000, QUALITY_SCORE.baselineMs];

type Ruled = Pick<Flow, 'db' | 'clock' | 'config' | 'pager' | 'log'>;

/** One tick: every rule over every service that was called lately. A service that fails does not stop the others. */
export async function checkRules(flow: Ruled): Promise<void> {
  const now = flow.clock.now();
  const since = before(now, QUALITY_SCORE.baselineMs);
  for (const service of await activeServices(flow.db, { since })) {
    try {
      await checkService(flow, service, now);
    } catch (thrown) {
      flow.log.error({ ...service, error: messageOf(thrown) }, 'rules could not be checked');
    }
  }
}

async function checkService(flow: Ruled, service: ServiceName, now: Date): Promise<void> {
  await bringLedgerUp(flow, service, now);
  for (const verdict of await verdictsOn(flow, service, now)) {
    const onset = await onsetFor(flow, { service, verdict, now });
    await flow.db.transaction().execute((tx) => act(flow, tx, { service, verdict, onset, now }));
  }
}

async function verdictsOn(flow: Ruled, service: ServiceName, now: Date): Promise<RuleVerdict[]> {
  const since = before(now, QUALITY_SCORE.baselineMs);
  const windowStart = before(now, QUALITY_SCORE.windowMs);
  const excluding: Interval[] = await troubledTimes(flow.db, { ...service, since, now });
  const scores = { ...service, excluding: [] };
  const window = await scoreSummary(flow.db, { ...scores, from: windowStart, to: now });
  const baseline = await scoreSummary(flow.db, { ...scores, from: since, to: windowStart, excluding });
  const last = { ...service, before: now, limit: QUALITY_FORMAT.calls, notBefore: since };
  const format = await formatOfLast(flow.db, last);
  return [qualityScoreVerdict({ window, baseline }), qualityFormatVerdict(format)];
}

/** When it began, by the change-point of the verdicts and the ledger; asked only when the rule starts to fire. */
async function onsetFor(
  flow: Ruled,
  { service, verdict, now }: { service: ServiceName; verdict: RuleVerdict; now: Date },
): Promise<Date | null> {
  if (verdict.state !== 'firing') return null;
  const known = await signalOf(flow.db, { ...service, rule: verdict.rule });
  if (known?.state === 'firing') return null;
  const minutesOf = verdict.rule === 'quality.format' ? formatMinutes : scoreMinutes;
  for (const lookBackMs of ONSET_LOOK_BACK_MS) {
    const from = before(now, lookBackMs);
    const changes = effectiveRows(await rowsOf(flow.db, { ...service, since: from, until: now }));
    const changedAt = changes.map((change) => change.at);
    const onset = estimateOnset(await minutesOf(flow.db, { ...service, from, to: now }), changedAt);
    if (onset !== null) return onset.at;
  }
  return null;
}

interface Finding {
  service: ServiceName;
  verdict: RuleVerdict;
  onset: Date | null;
  now: Date;
}

/** Stores the evaluation, moves the signal on, and does what follows from it, in one transaction. */
async function act(flow: Ruled, tx: Tx, finding: Finding): Promise<void> {
  const { service, verdict, now } = finding;
  const key = { ...service, rule: verdict.rule };
  const evaluationId = await recordEvaluation(tx, verdict, { ...service, at: now });
  const signal = nextSignal(await signalOf(tx, key), verdict, now);
  await saveSignal(tx, { ...key, signal, evaluationId });
  if (signal.opened) {
    const incident = await openOrJoin(flow, tx, finding);
    await linkSignal(tx, { ...key, incidentId: incident.id });
  }
  const category = categoryOf(verdict.rule);
  const live = await findLiveAbout(tx, { ...service, category });
  if (live === undefined) return;
  if (signal.state === 'firing') await escalate(flow, tx, { incident: live, verdict, signal, now });
  if (signal.cleared) await noteCleared(tx, { incident: live, verdict, now });
}

/** A signal joins the live incident about the same thing, also one that a person declared before the rule saw it. */
async function openOrJoin(flow: Ruled, tx: Tx, finding: Finding): Promise<Incident> {
  const { service, verdict, onset, now } = finding;
  const signalText = describeVerdict(verdict);
  const live = await findLiveAbout(tx, { ...service, category: categoryOf(verdict.rule) });
  if (live !== undefined) return join(tx, { incident: live, signalText, now });
  const { opened, incident } = await openIncident(flow, tx, {
    title: titleOf(verdict),
    category: categoryOf(verdict.rule),
    severity: severityOf(verdict),
    ...service,
    private: false,
    source: 'rule',
    rule: verdict.rule,
    symptom: null,
    declaredBy: null,
    startedAt: onset,
    signal: signalText,
    passScore: verdict.rule === 'quality.score' ? verdict.threshold : null,
    origin: verdict.rule,
    now,
  });
  return opened ? incident : join(tx, { incident, signalText, now });
}

async function join(
  tx: Tx,
  joined: { incident: Incident; signalText: string; now: Date },
): Promise<Incident> {
  const { incident, signalText, now } = joined;
  const text = incident.source === 'person' ? signalText : `Also firing: ${signalText}`;
  if (incident.status === 'mitigated') await reopen(tx, { incident, signalText, now });
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
  return incident;
}

/** What had recovered fires again: users meet it again, and the incident is open until it is mitigated anew. */
async function reopen(tx: Tx, again: { incident: Incident; signalText: string; now: Date }): Promise<void> {
  const { incident, signalText, now } = again;
  await takeBack(tx, incident.id, ['contained', 'mitigated']);
  await moveStatus(tx, { id: incident.id, from: ['mitigated'], to: 'open' });
  const mention = incident.commander === null ? [] : [incident.commander];
  await enqueue(tx, notice(incident.id, now, { text: `It fires again: ${signalText}`, mention }));
}

/**
 * Past the bound is sev1. A quality sev1 that a rule found pages when it has been past the bound for ten minutes,
 * unless users are no longer exposed by then.
 */
async function escalate(
  flow: Ruled,
  tx: Tx,
  found: { incident: Incident; verdict: RuleVerdict; signal: NextSignal; now: Date },
): Promise<void> {
  const { verdict, signal, now } = found;
  let { incident } = found;
  if (verdict.pastBound && incident.source === 'rule' && incident.severity !== 'sev1') {
    incident = (await changeSeverity(tx, { incident, severity: 'sev1', by: null, now })) ?? incident;
  }
  const isExposed = incident.status === 'open' || incident.status === 'triage';
  const plan = pagePlan(incident);
  if (!isExposed || plan.kind !== 'page' || !stillPastBound(signal, now, plan.afterMs)) return;
  if (await pageNow(flow, tx, { incident, now, purpose: 'page' }))
    await enqueue(tx, refreshCard(incident.id, now));
}

async function noteCleared(
  tx: Tx,
  { incident, verdict, now }: { incident: Incident; verdict: RuleVerdict; now: Date },
): Promise<void> {
  const text = `No longer firing: ${describeVerdict(verdict)}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
}

const before = (now: Date, ms: number) => new Date(now.getTime() - ms);
