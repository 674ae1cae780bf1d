import { subDays } from 'date-fns';
import { lineChartPng, type Panel } from '../../chart/line-chart.ts';
import { durations, inWords } from '../../postmortem/duration.ts';
import { reportedIncidents, ruleRecords } from '../../postmortem/response-time-store.ts';
import {
  describeRuleRecord,
  type ReportedIncident,
  type ResponseTimes,
  responseTimes,
  responseTimesBy,
} from '../../postmortem/response-times.ts';
import type { Flow } from '../flow.ts';

export interface ReportAsked {
  days: number;
  /** Null: all services. */
  service: string | null;
}

const MOST_DAYS = 730;
export const REPORT_USAGE = `Say for how long, and of which service if of one: \`report 30d\`, \`report 7d SERVICE\` (1 to ${MOST_DAYS} days).`;

/** "30d support-bot"; without days, the last 30. Null: it says no such thing. */
export function readReportAsked(text: string): ReportAsked | null {
  const [, days = '30', service = ''] = /^(?:(\d{1,4})d?(?:\s+|$))?(.*)$/s.exec(text.trim()) ?? [];
  const asked = { days: Number(days), service: service.trim() === '' ? null : service.trim() };
  return asked.days >= 1 && asked.days <= MOST_DAYS ? asked : null;
}

export interface Report {
  /** Plain lines, outside text raw. */
  title: string;
  lines: string[];
  /** Null: nothing to draw. */
  chart: { png: Buffer; alt: string } | null;
}

/**
 * Numbers across incidents from their milestones. Policy: a private one is counted when it has ended, and nothing else
 * is told of it: it is in no group, and what rules about safety opened stays with those who may know.
 */
export async function report(flow: Pick<Flow, 'db' | 'clock'>, asked: ReportAsked): Promise<Report> {
  const until = flow.clock.now();
  const period = { since: subDays(until, asked.days), until, service: asked.service ?? undefined };
  const incidents = await reportedIncidents(flow.db, period);
  const open = incidents.filter((incident) => !incident.private);
  const rules = (await ruleRecords(flow.db, period)).filter(({ rule }) => !rule.startsWith('safety.'));
  const of = asked.service === null ? '' : ` of ${asked.service}`;
  const title = `${incidents.length} ${incidents.length === 1 ? 'incident' : 'incidents'}${of} in ${asked.days} days`;
  const lines = [
    ...stageLines(responseTimes(incidents)),
    ...(asked.service === null ? groupLines(open, 'service') : []),
    ...groupLines(open, 'category'),
    ...groupLines(open, 'severity'),
    ...(rules.length === 0 ? [] : [`Rules: ${rules.map(describeRuleRecord).join('; ')}.`]),
  ];
  return { title, lines, chart: await chartOf(incidents, title) };
}

function stageLines({ incidents, stages }: ResponseTimes): string[] {
  if (incidents === 0) return [];
  return stages.map(({ label, n, medianMs, p90Ms }) =>
    medianMs === null || p90Ms === null
      ? `${label}: not known of any`
      : `${label}: median ${inWords(medianMs)}, 90 % within ${inWords(p90Ms)} (known of ${n})`,
  );
}

const CONTAIN = 'Time to contain';

function groupLines(
  incidents: readonly ReportedIncident[],
  grouping: 'service' | 'category' | 'severity',
): string[] {
  const groups = responseTimesBy(incidents, grouping).map(({ group, times }) => {
    const contain = times.stages.find(({ label }) => label === CONTAIN)?.medianMs ?? null;
    const fast = contain === null ? '' : `, contained in ${inWords(contain)} (median)`;
    return `${group} ${times.incidents}${fast}`;
  });
  return groups.length === 0 ? [] : [`By ${grouping}: ${groups.join('; ')}.`];
}

/** Minutes to containment of each incident over time, whose fall is what all of this is for. */
async function chartOf(incidents: readonly ReportedIncident[], title: string): Promise<Report['chart']> {
  const points = incidents.flatMap(({ declaredAt, milestones }) => {
    const ms = durations(milestones).find(({ label }) => label === CONTAIN)?.ms;
    return ms === undefined ? [] : [{ at: declaredAt, value: ms / 60_000, threshold: null }];
  });
  if (points.length < 2) return null;
  const axis = { title: 'minutes', format: ',f' };
  const panel: Panel = { title: 'Minutes to contain, incident by incident', axis, points, marks: [] };
  const alt = `Minutes to contain of ${points.length} incidents, from ${first(points)} to ${last(points)}.`;
  return { png: await lineChartPng(title, [panel]), alt };
}

const minutes = (point: { value: number } | undefined) => (point?.value ?? 0).toFixed(0);
const first = (points: readonly { value: number }[]) => `${minutes(points[0])} in the first`;
const last = (points: readonly { value: number }[]) => `${minutes(points.at(-1))} in the last`;
