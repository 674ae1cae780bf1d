import type { Tx } from '../../db/database.ts';
import { enqueue, type NewJob } from '../../db/jobs.ts';
import type { Category, Severity } from '../../db/schema.ts';
import { FAILURE_OF, freezeEvidence } from '../../evidence/freeze-store.ts';
import { startClocks } from '../../incident/clock-store.ts';
import { dedupKey, type Incident, nameOf, pagePlan, withSafetyRules } from '../../incident/incident.ts';
import { addToTimeline, openIncident as insertIncident, reach } from '../../incident/incident-store.ts';
import { type PageAgain, requestPage } from '../../incident/page-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { freezeInputs, openRoom, page } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { rehearseAtOpening } from '../mitigate/plan-rehearsals.ts';
import { escalationsOf, leadAfterMs } from '../page/escalation.ts';
import { push } from '../room/push-effects.ts';
import { askStakeholders } from '../stakeholders/ask-stakeholders.ts';
import { awaitAcknowledgement, startLadder } from './contain-ladder.ts';
import { startUpdateClock } from './update-clock.ts';

export interface WantedIncident {
  title: string;
  category: Category;
  severity: Severity;
  service: string | null;
  environment: string;
  private: boolean;
  source: 'rule' | 'person';
  rule: string | null;
  symptom: string | null;
  declaredBy: string | null;
  startedAt: Date | null;
  /** What fired, in one line with its numbers. */
  signal: string | null;
  /** A call that scored below this is a failing one; null where no score fell. */
  passScore: number | null;
  /** Names the rule, form or command that it comes from, so that the same one opens it once. */
  origin: string;
  announceTo?: { channelId: string; userId: string };
}

/** Exactly one incident per dedup key is live: a second trigger gets the first one back and changes nothing. */
export async function openIncident(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  asked: WantedIncident & { now: Date },
): Promise<{ opened: boolean; incident: Incident }> {
  const wanted = withSafetyRules(asked);
  const { now, service, environment, category } = wanted;
  const outcome = await insertIncident(tx, {
    dedup_key: dedupKey(wanted),
    title: wanted.title,
    category,
    severity: wanted.severity,
    status: 'open',
    service,
    environment,
    private: wanted.private,
    source: wanted.source,
    rule: wanted.rule,
    symptom: wanted.symptom,
    declared_by: wanted.declaredBy,
    created_at: now,
  });
  if (!outcome.opened) return outcome;
  const { incident } = outcome;
  await recordOpening(tx, incident, wanted);
  await startLadder(flow, tx, { incident, now });
  await startUpdateClock(flow, tx, { incident, now });
  await planPages(flow, tx, { incident, now });
  if (service !== null) {
    const passScore = wanted.passScore === null ? {} : { passScore: wanted.passScore };
    const about = { incidentId: incident.id, service, environment, at: now, onset: wanted.startedAt };
    await freezeEvidence(tx, { ...about, ...passScore, failure: FAILURE_OF[incident.category] });
  }
  await enqueue(tx, [
    openRoom(incident.id, now, wanted.announceTo),
    ...tellOpening(incident, now),
    freezeInputs(incident.id, now),
    ...rehearseAtOpening(flow, incident, now),
  ]);
  await askStakeholders(flow, tx, { incident, now });
  return outcome;
}

/** Policy: on-call is told of what opened; not of a sev3 or a drill, which wake nobody, and never who declared it. */
function tellOpening(incident: Incident, now: Date): NewJob[] {
  if (incident.severity === 'sev3' || incident.drill) return [];
  const about = incident.private
    ? ''
    : ` ${incident.severity.toUpperCase()} ${incident.category} · ${incident.service ?? 'no service named'}.`;
  const text = `${nameOf(incident.id)} is open.${about} The next step is on the card; *I'm on it* takes it.`;
  const actors = incident.declared_by === null ? [] : [incident.declared_by];
  return [push(incident.id, now, { occasion: 'opened', text, actors })];
}

async function recordOpening(
  tx: Tx,
  incident: Incident,
  wanted: WantedIncident & { now: Date },
): Promise<void> {
  const { now, startedAt, declaredBy, signal } = wanted;
  const by = declaredBy ?? 'llm-incident';
  const milestone = { incidentId: incident.id, recordedAt: now, by };
  if (startedAt !== null) await reach(tx, { ...milestone, name: 'started', at: startedAt });
  if (wanted.source === 'rule') await reach(tx, { ...milestone, name: 'detected', at: now });
  await reach(tx, { ...milestone, name: 'declared', at: now });
  if (signal !== null) {
    await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text: signal });
  }
  const what = `${incident.severity} ${incident.category}`;
  const byRule = `The rule ${wanted.rule} declared ${nameOf(incident.id)}: ${what}.`;
  const text = wanted.source === 'rule' ? byRule : `Declared: ${what}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'declared', actor: declaredBy, text });
  await audit(tx, {
    at: now,
    actor: by,
    action: 'incident.declared',
    subject: nameOf(incident.id),
    data: { severity: incident.severity, category: incident.category, rule: incident.rule },
  });
}

/** What is to be paged now; a page that waits for its ten minutes is asked for by the rule that still fires. */
export async function planPages(
  flow: Pick<Flow, 'pager' | 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const plan = pagePlan(incident, escalationsOf(flow, incident));
  const request = { incidentId: incident.id, at: now };
  if (plan.kind === 'nobody') {
    await requestPage(tx, { ...request, purpose: 'page', reason: plan.reason, state: 'skipped' });
    return;
  }
  if (plan.kind === 'page' && plan.afterMs > 0) return;
  await pageNow(flow, tx, { incident, now, purpose: plan.kind, again: 'if-over' });
}

/** Policy: who could not be paged must answer all the same; without PagerDuty the room calls them by a mention. */
export async function pageNow(
  flow: Pick<Flow, 'pager' | 'config'>,
  tx: Tx,
  asked: { incident: Incident; now: Date; purpose: 'page' | 'ticket'; again?: PageAgain },
): Promise<boolean> {
  const { incident, now, purpose, again = 'never' } = asked;
  const request = { incidentId: incident.id, purpose, at: now, again };
  if (purpose === 'page') await awaitAnswer(flow, tx, { incident, now });
  if (flow.pager === null) {
    const reason = 'nobody; PagerDuty is not configured';
    return requestPage(tx, { ...request, reason, state: 'skipped' });
  }
  const reason = purpose === 'page' ? 'paging' : 'opening a ticket';
  const isNew = await requestPage(tx, { ...request, reason });
  if (isNew) await enqueue(tx, page(incident.id, purpose, now));
  return isNew;
}

/** Counted from the first page: one that is asked for again moves no clock. */
async function awaitAnswer(
  flow: Pick<Flow, 'config'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const dueAt = new Date(now.getTime() + leadAfterMs(flow, incident));
  await startClocks(tx, [{ incidentId: incident.id, kind: 'lead', dueAt }]);
  await awaitAcknowledgement(flow, tx, { incident, now });
}
