import { formatDuration, intervalToDuration } from 'date-fns';
import type { Panel } from '../../chart/line-chart.ts';
import { ruleOf } from '../../detection/rules.ts';
import type { BacktestResult, Episode, Point } from './backtest.ts';
import { valueAxis } from './value-axis.ts';
import { describeVerdict } from './verdict-text.ts';

export interface Counted {
  calls: number;
  malformed: number;
}

/** The machine's answer: one object, one entry in `opened` per rule and episode. */
export function backtestJson(result: BacktestResult, counted: Counted): string {
  const opened = result.episodes.map((one) => ({
    rule: one.rule,
    category: one.category,
    severity: one.severity,
    service: one.service,
    environment: one.environment,
    at: one.at.toISOString(),
    until: one.until?.toISOString() ?? null,
    value: one.value,
    baseline: one.baseline,
    threshold: one.threshold,
    n: one.n,
    warning: one.warning,
    shadow: one.shadow,
    detail: one.detail,
  }));
  return JSON.stringify({ ...counted, ticks: result.ticks, opened, troubles: result.troubles });
}

/** The same for people: one line an episode, the earliest first. */
export function backtestText(result: BacktestResult, counted: Counted): string {
  const { episodes, ticks, troubles } = result;
  const rooms = episodes.filter((one) => !one.warning && !one.shadow).length;
  const warnings = episodes.filter((one) => one.warning).length;
  const read = `${count(counted.calls, 'call')} read, ${counted.malformed} malformed, ${count(ticks, 'tick')} of a minute`;
  const opened = `${count(rooms, 'incident')} would have opened, ${count(warnings, 'early warning')}`;
  return [
    `${read}: ${opened}.`,
    ...episodes.map(episodeLine),
    ...troubles.map(({ problem }) => `could not be judged: ${problem}`),
  ].join('\n');
}

function episodeLine(one: Episode): string {
  const mark = one.warning ? 'early warning' : one.shadow ? 'shadow' : one.severity;
  const lasted = one.until === null ? 'until the end' : `for ${durationText(one.at, one.until)}`;
  const said = describeVerdict({ ...one, state: 'firing', baselineN: 0, lower: null, upper: null });
  return `${one.at.toISOString()}  ${mark}  ${one.service}  ${one.rule}  ${said}, ${lasted}`;
}

function durationText(from: Date, to: Date): string {
  const duration = intervalToDuration({ start: from, end: to });
  return formatDuration(duration, { format: ['days', 'hours', 'minutes'] }) || 'less than a minute';
}

const PANEL_POINTS = 1_500;

/** A panel for each rule that opened something, and its early warning beside it. */
export function backtestPanels(result: BacktestResult): Panel[] {
  const named = (one: { service: string; environment: string; rule: string }) =>
    `${one.environment}/${one.service}/${one.rule}`;
  const points = Map.groupBy(
    result.points.filter((point) => !point.warning),
    named,
  );
  return [...Map.groupBy(result.episodes, named)].map(([name, episodes]) => {
    const [first] = episodes as [Episode];
    const rule = ruleOf(first.rule);
    const metric = rule?.metric ?? first.rule;
    return {
      title: `${metric} of ${first.service} (${first.rule})`,
      ...(rule === undefined ? {} : { axis: valueAxis(rule.unit) }),
      points: thinned(points.get(name) ?? []),
      marks: episodes.map((one) => ({
        at: one.at,
        label: one.warning ? 'early warning' : `opens ${one.severity}`,
      })),
    };
  });
}

/** Every k-th point, so that a week of minutes still draws fast. */
function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / PANEL_POINTS);
  return step <= 1 ? points : points.filter((_, i) => i % step === 0);
}

function count(n: number, what: string): string {
  return `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
}
