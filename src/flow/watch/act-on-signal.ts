import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { firstWarning } from '../../detection/evaluation-store.ts';
import { categoryOf, type RuleVerdict, severityOf } from '../../detection/rule.ts';
import { type NextSignal, stillPastBound } from '../../detection/signal.ts';
import { linkSignal, type SignalKey } from '../../detection/signal-store.ts';
import type { WatchedRule } from '../../detection/watched-rule.ts';
import { type Incident, pagePlan } from '../../incident/incident.ts';
import { addToTimeline, findIncident, findLiveAbout, milestonesOf } from '../../incident/incident-store.ts';
import { refreshCard, tellOps } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { openIncident, pageNow } from '../incident/open-incident.ts';
import { changeSeverity } from '../incident/set-severity.ts';
import { escalationsOf } from '../page/escalation.ts';
import { intendRemediation } from './intend-remediation.ts';
import { joinIncident } from './join-incident.ts';
import { describeVerdict, titleOf } from './verdict-text.ts';

export interface Moved {
  watched: WatchedRule;
  verdict: RuleVerdict;
  signal: NextSignal;
  /** The estimated start of what fires now; null when it cannot be told. */
  onset: Date | null;
  /** The incident of this episode, or of the last one. */
  incidentId: number | null;
  now: Date;
}

type Acting = Pick<Flow, 'config' | 'pager' | 'automation' | 'targetFor'>;

export function keyOf({ watched }: Pick<Moved, 'watched'>): SignalKey {
  const { service, environment, rule } = watched;
  return { service, environment, rule: rule.id, warning: rule.warning };
}

/** What follows from a signal that moved or fires, in the transaction that saves it. */
export async function actOnSignal(flow: Acting, tx: Tx, moved: Moved): Promise<void> {
  const { watched, verdict, signal, now } = moved;
  if (signal.opened || (await firesOn(tx, moved))) await open(flow, tx, moved);
  if (watched.settings.shadow) return;
  const { service, environment } = watched;
  const live = await findLiveAbout(tx, { service, environment, category: categoryOf(verdict.rule) });
  if (live === undefined) return;
  if (signal.state === 'firing') await escalate(flow, tx, { ...moved, incident: live });
  if (signal.cleared) await noteCleared(tx, { incident: live, verdict, now });
}

/**
 * Policy: when people resolved the incident and its rule still fires a window and a cooldown later, that is a new one.
 * What was declined as a false alarm stays quiet until the rule has been clear.
 */
async function firesOn(tx: Tx, moved: Moved): Promise<boolean> {
  const { watched, verdict, incidentId, now } = moved;
  if (verdict.state !== 'firing' || incidentId === null || looksAtNewest(watched)) return false;
  const incident = await findIncident(tx, incidentId);
  if (incident?.status !== 'resolved' && incident?.status !== 'closed') return false;
  const { resolved } = await milestonesOf(tx, incidentId);
  const { window_minutes: window, cooldown_minutes: cooldown } = watched.settings;
  return resolved !== undefined && now.getTime() - resolved.getTime() > (window + cooldown) * 60_000;
}

/** The newest calls may still be those from before the resolution, so such a rule has to clear first. */
function looksAtNewest({ rule, settings }: WatchedRule): boolean {
  return Object.values(rule.asks(settings)).some(({ over }) => over.kind === 'newest');
}

/** Policy: an early warning opens nothing; one that is set to notify tells the ops channel when it begins. */
export async function tellWarning(tx: Tx, moved: Moved): Promise<void> {
  const { settings } = moved.watched;
  if (moved.signal.opened && !settings.shadow && settings.sev2.action === 'notify') await tell(tx, moved);
}

/** Policy: a shadow rule opens nothing; one that only notifies tells the ops channel; any other opens or joins. */
async function open(flow: Acting, tx: Tx, moved: Moved): Promise<void> {
  const { verdict, now } = moved;
  const { settings } = moved.watched;
  if (settings.shadow) return;
  if (settings[severityOf(verdict) === 'sev1' ? 'sev1' : 'sev2'].action === 'notify') return tell(tx, moved);
  const incident = await openOrJoin(flow, tx, moved);
  await linkSignal(tx, { ...keyOf(moved), incidentId: incident.id });
  if (settings.auto_remediate) await intendRemediation(flow, tx, { incident, verdict, now });
}

async function tell(tx: Tx, { watched, verdict, now }: Moved): Promise<void> {
  const { service, environment, rule } = watched;
  const key = `${environment}/${service}/${rule.id}/${rule.warning}/${now.toISOString()}`;
  const text = `${service} (${environment}): ${describeVerdict(verdict)}`;
  await enqueue(tx, tellOps({ key, text }, now));
}

/** A signal joins the live incident about the same thing, also one that a person declared before the rule saw it. */
async function openOrJoin(flow: Acting, tx: Tx, moved: Moved): Promise<Incident> {
  const { watched, verdict, onset, now } = moved;
  const { service, environment } = watched;
  const category = categoryOf(verdict.rule);
  const live = await findLiveAbout(tx, { service, environment, category });
  if (live !== undefined) return join(flow, tx, { ...moved, incident: live });
  const { opened, incident } = await openIncident(flow, tx, {
    title: titleOf(verdict.rule),
    category,
    severity: severityOf(verdict),
    service,
    environment,
    private: false,
    source: 'rule',
    rule: verdict.rule,
    symptom: null,
    declaredBy: null,
    startedAt: onset,
    signal: describeVerdict(verdict),
    passScore: verdict.rule === 'quality.score' ? verdict.threshold : null,
    origin: verdict.rule,
    now,
  });
  if (!opened) return join(flow, tx, { ...moved, incident });
  await noteWarning(tx, incident, moved);
  return incident;
}

const WARNED_BEFORE_MS = 6 * 3_600_000;

/** When an early warning saw it first, the timeline says so. */
async function noteWarning(
  tx: Tx,
  incident: Incident,
  { watched, verdict, onset, now }: Moved,
): Promise<void> {
  const { service, environment } = watched;
  const since = onset ?? new Date(now.getTime() - WARNED_BEFORE_MS);
  const warning = await firstWarning(tx, { service, environment, rule: verdict.rule, since });
  if (warning === null || warning.at >= now) return;
  const text = `Early warning since ${warning.at.toISOString().slice(11, 16)} UTC: ${describeVerdict(warning)}`;
  await addToTimeline(tx, { incidentId: incident.id, at: warning.at, kind: 'warning', actor: null, text });
}

function join(flow: Acting, tx: Tx, found: Moved & { incident: Incident }): Promise<Incident> {
  const { incident, verdict, signal, now } = found;
  const said = describeVerdict(verdict);
  return joinIncident(flow, tx, { incident, said, isQuiet: signal.inCooldown, now });
}

/**
 * Past the bound is sev1. A page that waits leaves when the bound has been passed for as long as its rule says, unless
 * users are no longer exposed by then.
 */
async function escalate(flow: Acting, tx: Tx, found: Moved & { incident: Incident }): Promise<void> {
  const { verdict, signal, now } = found;
  let { incident } = found;
  const wasSev1 = incident.severity === 'sev1';
  if (verdict.pastBound && incident.source === 'rule' && !wasSev1) {
    incident = (await changeSeverity(flow, tx, { incident, severity: 'sev1', by: null, now })) ?? incident;
  }
  const isExposed = incident.status === 'open' || incident.status === 'triage';
  const plan = pagePlan(incident, escalationsOf(flow, incident));
  if (!isExposed || plan.kind !== 'page') return;
  const isDue =
    incident.severity === 'sev1'
      ? stillPastBound(signal, now, plan.afterMs)
      : isFiringFor(signal, now, plan.afterMs);
  if (isDue && (await pageNow(flow, tx, { incident, now, purpose: 'page' })))
    await enqueue(tx, refreshCard(incident.id, now));
}

function isFiringFor(signal: NextSignal, now: Date, forMs: number): boolean {
  return now.getTime() - signal.since.getTime() >= forMs;
}

async function noteCleared(
  tx: Tx,
  { incident, verdict, now }: { incident: Incident; verdict: RuleVerdict; now: Date },
): Promise<void> {
  const text = `No longer firing: ${describeVerdict(verdict)}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
}
