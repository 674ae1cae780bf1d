import { max, min, subHours } from 'date-fns';
import { z } from 'zod';
import { lineChartPng, type Panel } from '../../chart/line-chart.ts';
import type { Job } from '../../db/jobs.ts';
import type { Category } from '../../db/schema.ts';
import { amount } from '../../detection/amount.ts';
import { evaluationsBetween, type StoredEvaluation } from '../../detection/evaluation-store.ts';
import type { RuleId } from '../../detection/rule.ts';
import { ruleOf } from '../../detection/rules.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { Suspect } from '../../evidence/what-changed.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { findIncident, milestonesOf } from '../../incident/incident-store.ts';
import { findPosted } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';
import { nameOfComponent } from '../ledger/component-text.ts';
import { valueAxis } from '../watch/value-axis.ts';
import { amountAgain } from '../watch/verdict-text.ts';
import { cardKey } from './open-room.ts';

const payload = z.object({ incidentId: z.number() });

/** What is drawn of an incident that a person declared. */
const METRIC_OF: Record<Category, RuleId | null> = {
  quality: 'quality.score',
  outage: 'outage.errors',
  cost: 'cost.request',
  safety: null,
};

const SHOWN_HOURS = 6;
const SHOWN_POINTS = 720;
const SHOWN_CHANGES = 3;

/** Shares the metric of the last hours as a picture in the thread of the card, once; nothing where there is no line. */
export async function showChart(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const card = await findPosted(flow.db, cardKey(incidentId));
  if (incident === undefined || card === undefined) return;
  const drawn = await chartOf(flow, incident);
  if (drawn === null) return;
  await flow.chat.upload({
    key: `chart:${incidentId}`,
    channelId: card.channel_id,
    threadTs: card.ts,
    filename: `${nameOf(incidentId)}-metric.png`,
    title: `${nameOf(incidentId)} ${drawn.metric}`,
    content: await lineChartPng(drawn.title, [drawn.panel]),
    altText: drawn.alt,
    comment: '',
    retried: job.attempts > 1,
  });
}

export interface IncidentChart {
  metric: string;
  title: string;
  panel: Panel;
  /** The same in a sentence. */
  alt: string;
}

/** The metric of the rule that opened it, with threshold, baseline, onset, changes and its time shaded; null with fewer than two values. */
export async function chartOf(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
): Promise<IncidentChart | null> {
  const { id: incidentId, service, environment } = incident;
  const id = (incident.rule as RuleId | null) ?? METRIC_OF[incident.category];
  const rule = id === null ? undefined : ruleOf(id);
  if (service === null || rule === undefined) return null;
  const to = flow.clock.now();
  const window = { from: subHours(incident.created_at, SHOWN_HOURS), to: new Date(to.getTime() + 1) };
  const all = await evaluationsBetween(flow.db, { service, environment, rule: rule.id, ...window });
  const values = all.filter(hasValue);
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined || values.length < 2) return null;
  const { started, ...ends } = await milestonesOf(flow.db, incidentId);
  const changes = await changesBetween(flow, incidentId, { from: first.at, to });
  const onset = started === undefined || started < first.at ? [] : [{ at: started, label: 'it began' }];
  const again = (one: number) => amountAgain(one, rule.unit);
  const usual = last.baseline === null ? '' : `, usually ${again(last.baseline)}`;
  const alert = last.threshold === null ? '' : `, alert at ${again(last.threshold)}`;
  const course = `${amount(first.value, rule.unit)} at first, ${again(last.value)} at last`;
  const marked = changes.length === 0 ? '' : ` Marked: ${changes.map(({ label }) => label).join(', ')}.`;
  const title = `${rule.metric} of ${service}`;
  return {
    metric: rule.metric,
    title: `${nameOf(incidentId)} ${title}`,
    panel: {
      title: `${amount(last.value, rule.unit)} now${usual}${alert}`,
      axis: valueAxis(rule.unit),
      points: pointsOf(values),
      marks: [...changes, ...onset],
      spans: spanOf({ from: started, to: ends.mitigated ?? ends.resolved }, { from: first.at, to: last.at }),
    },
    alt:
      `${title} over ${values.length} polls from ${minute(first.at)} to ${minute(last.at)} UTC: ` +
      `${course}${usual}${alert}.${marked}`,
  };
}

/** The time of the incident as far as it is in the picture; nothing while nobody knows when it began. */
function spanOf(
  incident: { from: Date | undefined; to: Date | undefined },
  shown: { from: Date; to: Date },
): NonNullable<Panel['spans']> {
  if (incident.from === undefined) return [];
  const span = { from: max([incident.from, shown.from]), to: min([incident.to ?? shown.to, shown.to]) };
  return span.from < span.to ? [span] : [];
}

type Valued = StoredEvaluation & { value: number };

const hasValue = (one: StoredEvaluation): one is Valued => one.value !== null;

/** Every k-th value, so that hours of polls still draw fast. */
function pointsOf(values: readonly Valued[]): Panel['points'] {
  const step = Math.ceil(values.length / SHOWN_POINTS);
  return values
    .filter((_, place) => place % step === 0 || place === values.length - 1)
    .map(({ at, value, threshold, baseline }) => ({ at, value, threshold, baseline }));
}

/** The most suspicious changes that fall into the picture. */
async function changesBetween(
  flow: Pick<Flow, 'db'>,
  incidentId: number,
  { from, to }: { from: Date; to: Date },
): Promise<Panel['marks']> {
  const { changes } = await evidenceOf(flow.db, incidentId);
  const suspects = (changes?.data['suspects'] ?? []) as Suspect[];
  return suspects
    .map(({ component, at }) => ({ at: new Date(at), label: `${nameOfComponent(component)} changed` }))
    .filter(({ at }) => at >= from && at <= to)
    .slice(0, SHOWN_CHANGES);
}

const minute = (at: Date) => at.toISOString().slice(11, 16);
