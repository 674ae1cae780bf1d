import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import type { Category, Severity } from '../../db/schema.ts';
import { endAlert, linkAlerts, takeFiring } from '../../incident/alert-store.ts';
import {
  DECLARED_ESCALATIONS,
  type Incident,
  LIVE,
  nameOf,
  pagePlan,
  SEVERITIES,
} from '../../incident/incident.ts';
import { addToTimeline, findIncident, findLiveAbout } from '../../incident/incident-store.ts';
import { redact } from '../../redaction.ts';
import type { Alert, AlertBatch } from '../../sources/alertmanager.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { openIncident, pageNow } from '../incident/open-incident.ts';
import { changeSeverity } from '../incident/set-severity.ts';
import { joinIncident } from './join-incident.ts';

type Taking = Pick<Flow, 'db' | 'clock' | 'config' | 'pager'>;

interface Subject {
  service: string;
  environment: string;
  category: Category;
}

const LONGEST_TITLE = 150;
const SHOWN_ALERTS = 5;

/**
 * What a webhook of Alertmanager says, on the record when this returns; the names of the incidents that it opened or
 * joined. Firing alerts of one category about one service are one incident. The same delivery again changes nothing.
 */
export async function takeAlerts(flow: Taking, batch: AlertBatch): Promise<string[]> {
  const now = flow.clock.now();
  const resolved = batch.alerts.filter(({ state }) => state === 'resolved');
  for (const alert of resolved.toSorted(byFingerprint))
    await flow.db.transaction().execute((tx) => noteResolved(tx, alert, now));
  const concerned: string[] = [];
  for (const alerts of bySubject(batch.alerts.filter(({ state }) => state === 'firing'))) {
    const incident = await flow.db
      .transaction()
      .execute((tx) => takeOne(flow, tx, { ...batch, alerts, now }));
    if (incident !== null) concerned.push(nameOf(incident.id));
  }
  return concerned;
}

const byFingerprint = (a: Alert, b: Alert) => (a.fingerprint < b.fingerprint ? -1 : 1);

function bySubject(alerts: readonly Alert[]): Alert[][] {
  const groups = Map.groupBy(alerts, ({ service, environment, category }) =>
    JSON.stringify([service, environment, category]),
  );
  return [...groups.values()];
}

async function noteResolved(tx: Tx, alert: Alert, now: Date): Promise<void> {
  const endsAt = alert.endsAt ?? now;
  const incidentId = await endAlert(tx, { fingerprint: alert.fingerprint, endsAt });
  const incident = incidentId === undefined ? undefined : await findIncident(tx, incidentId);
  if (incident === undefined || !LIVE.includes(incident.status)) return;
  const text = `No longer firing: ${describe(alert)}`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'signal', actor: null, text });
  await enqueue(tx, refreshCard(incident.id, now));
}

/** Alerts about one subject, the news among them. */
interface Firing extends Pick<AlertBatch, 'pageKey' | 'truncated'> {
  alerts: Alert[];
  now: Date;
}

async function takeOne(flow: Taking, tx: Tx, given: Firing): Promise<Incident | null> {
  const alerts = await takeFiring(tx, given);
  const [first] = alerts;
  if (first === undefined) return null;
  const firing = { ...given, alerts };
  const { service, environment, category } = first;
  const subject = { service, environment, category };
  const live = await findLiveAbout(tx, subject);
  const incident =
    live === undefined
      ? await open(flow, tx, { ...firing, subject, first })
      : await join(flow, tx, { ...firing, incident: live });
  await linkAlerts(tx, {
    fingerprints: alerts.map(({ fingerprint }) => fingerprint),
    incidentId: incident.id,
  });
  return incident;
}

async function open(
  flow: Taking,
  tx: Tx,
  firing: Firing & { subject: Subject; first: Alert },
): Promise<Incident> {
  const { alerts, subject, first, now } = firing;
  const startedMs = Math.min(now.getTime(), ...alerts.map(({ startsAt }) => startsAt.getTime()));
  const { opened, incident } = await openIncident(flow, tx, {
    ...subject,
    title: describe(first).slice(0, LONGEST_TITLE).toWellFormed(),
    severity: worstOf(alerts),
    private: false,
    source: 'rule',
    rule: `alertmanager/${first.name}`,
    symptom: null,
    declaredBy: null,
    startedAt: new Date(startedMs),
    signal: describeAll(firing),
    passScore: null,
    origin: `alertmanager/${first.fingerprint}`,
    now,
  });
  return opened ? incident : join(flow, tx, { ...firing, incident });
}

async function join(flow: Taking, tx: Tx, joined: Firing & { incident: Incident }): Promise<Incident> {
  const { incident, alerts, now } = joined;
  await joinIncident(flow, tx, { incident, said: describeAll(joined), now });
  if (worstOf(alerts) === 'sev1') await raise(flow, tx, { incident, now });
  return incident;
}

/**
 * Policy: Alertmanager has waited by the alert's own `for`, so what it calls sev1 pages at once while users are exposed.
 * The severity that a person chose stays.
 */
async function raise(
  flow: Taking,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const raised =
    incident.source === 'rule'
      ? await changeSeverity(flow, tx, { incident, severity: 'sev1', by: null, now })
      : null;
  const current = raised ?? incident;
  if (current.status === 'contained') return;
  if (pagePlan(current, DECLARED_ESCALATIONS).kind === 'page')
    await pageNow(flow, tx, { incident: current, now, purpose: 'page' });
}

function worstOf(alerts: readonly Alert[]): Severity {
  return SEVERITIES.find((severity) => alerts.some((alert) => alert.severity === severity)) ?? 'sev2';
}

function describe({ name, summary }: Alert): string {
  return summary === null ? name : `${name}: ${summary}`;
}

/** One line for all of them, however many came at once. */
function describeAll({ alerts, truncated }: Pick<Firing, 'alerts' | 'truncated'>): string {
  const named = alerts.slice(0, SHOWN_ALERTS).map((alert) => redact(describe(alert)));
  const more = alerts.length - named.length + truncated;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
