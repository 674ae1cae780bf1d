import { join } from 'node:path';
import { lineChartPng, type Panel } from '../../chart/line-chart.ts';
import { amount } from '../../detection/amount.ts';
import { ruleOf } from '../../detection/rules.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import type { Chart } from '../../postmortem/pictures.ts';
import type { DriftPoint, PostmortemRecord } from '../../postmortem/record.ts';
import type { Flow } from '../flow.ts';
import { chartOf } from '../room/incident-chart.ts';
import { valueAxis } from '../watch/value-axis.ts';
import { writeWhole } from './write-whole.ts';

const MOST_PANELS = 4;

/**
 * Draws what was measured, as PNG files beside the document: the metric over the whole incident, and the rules in the
 * two hours before, as they were frozen. Policy: nothing after it was resolved, so that the same record draws the same.
 */
export async function drawCharts(
  flow: Pick<Flow, 'db' | 'clock'>,
  incident: Incident,
  { record, documents }: { record: PostmortemRecord; documents: string },
): Promise<Chart[]> {
  const { resolved } = await milestonesOf(flow.db, incident.id);
  const until = { now: () => resolved ?? flow.clock.now() };
  const course = await chartOf({ db: flow.db, clock: until }, incident);
  const before = driftChart(incident, record.dataPoints.drift ?? []);
  const drawn = [
    ...(course === null ? [] : [{ ...course, name: 'metric', panels: [course.panel] }]),
    ...(before === null ? [] : [{ ...before, name: 'before' }]),
  ];
  const charts: Chart[] = [];
  for (const { name, title, panels, alt } of drawn) {
    const path = `${nameOf(incident.id)}-${name}.png`;
    await writeWhole(join(documents, path), await lineChartPng(title, panels));
    charts.push({ path, alt });
  }
  return charts;
}

/** The rules that measured most often before the incident, those of its own rule first. */
function driftChart(
  incident: Incident,
  points: readonly DriftPoint[],
): { title: string; panels: Panel[]; alt: string } | null {
  const valued = points.flatMap(({ value, ...point }) => (value === null ? [] : [{ ...point, value }]));
  const byRule = [...Map.groupBy(valued, ({ rule }) => rule)]
    .filter(([, measured]) => measured.length >= 2)
    .sort(([a, inA], [b, inB]) => {
      return Number(b === incident.rule) - Number(a === incident.rule) || inB.length - inA.length;
    });
  const panels = byRule.slice(0, MOST_PANELS).map(([rule, measured]) => panelOf(rule, measured));
  if (panels.length === 0) return null;
  const title = `${nameOf(incident.id)}: the two hours before`;
  const alt = `The two hours before: ${panels.map((one) => one.title).join('; ')}.`;
  return { title, panels, alt };
}

function panelOf(name: string, measured: readonly (DriftPoint & { value: number })[]): Panel {
  const rule = ruleOf(name);
  const inOrder = measured.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const said = (value: number) => (rule === undefined ? String(value) : amount(value, rule.unit));
  const [first, last] = [inOrder[0], inOrder.at(-1)].map((point) => said(point?.value ?? Number.NaN));
  return {
    title: `${rule?.metric ?? name}: ${first} at first, ${last} at last`,
    ...(rule === undefined ? {} : { axis: valueAxis(rule.unit) }),
    points: inOrder.map(({ at, value, baseline = null }) => ({ at, value, baseline, threshold: null })),
    marks: [],
  };
}
