import type { Interval } from '../call.ts';
import type { Measure, Question, Reading } from '../metric-source.ts';
import { isUncounted } from './custom-query.ts';
import { type Asked, NOTHING, type Recipe, type Row, type Rows } from './recipe.ts';

export const HOUR_MS = 3_600_000;
const QUANTILES: ReadonlySet<Measure> = new Set(['latency', 'length', 'input-length', 'largest']);

/** A row of a range query: what was true of the hour that ended `at`. */
export interface HourRow extends Row {
  at: Date;
}

/**
 * The whole hours within the question, as the times at which they end, in the steps of a range query. Null when
 * there is none.
 */
export function hoursOf({ from, to }: Interval): { first: Date; last: Date } | null {
  const first = Math.ceil(from.getTime() / HOUR_MS) * HOUR_MS + HOUR_MS;
  const last = Math.floor(to.getTime() / HOUR_MS) * HOUR_MS;
  return last < first ? null : { first: new Date(first), last: new Date(last) };
}

/** False for an hour that touches a time that is left out. */
export function isKept(hourEnd: Date, excluding: readonly Interval[]): boolean {
  const end = hourEnd.getTime();
  return !excluding.some(({ from, to }) => from.getTime() < end && to.getTime() > end - HOUR_MS);
}

/** One reading from the hours that are not left out; `found` by the names of the recipe's expressions. */
export function baselineOf(
  recipe: Recipe,
  question: Pick<Question, 'rule' | 'measure' | 'excluding'>,
  found: Readonly<Record<string, readonly HourRow[]>>,
): Reading {
  const hours = byHour(found, question.excluding ?? []);
  const asked = { windowMs: HOUR_MS, rule: question.rule };
  const readings = hours.map((rows) => recipe.read(rows, asked)).filter((reading) => reading.n > 0);
  const coveredMs = readings.length * HOUR_MS;
  if (recipe.baseline === 'sum')
    return sumOf(recipe, hours, { readings, asked: { ...asked, windowMs: coveredMs } });
  return weighed(readings, question.measure, recipe.isMean);
}

function byHour(found: Readonly<Record<string, readonly HourRow[]>>, excluding: readonly Interval[]): Rows[] {
  const hours = new Map<number, Record<string, Row[]>>();
  for (const [name, rows] of Object.entries(found)) {
    for (const row of rows) {
      if (!isKept(row.at, excluding)) continue;
      const hour = hours.get(row.at.getTime()) ?? {};
      hours.set(row.at.getTime(), hour);
      hour[name] = [...(hour[name] ?? []), row];
    }
  }
  return [...hours].sort(([a], [b]) => a - b).map(([, rows]) => rows);
}

function sumOf(
  recipe: Recipe,
  hours: readonly Rows[],
  { readings, asked }: { readings: readonly Reading[]; asked: Asked },
): Reading {
  if (readings.length === 0) return NOTHING;
  const reading = recipe.read(added(hours), asked);
  const sd = recipe.isMean ? (spread(readings) ?? reading.sd) : reading.sd;
  return { ...reading, sd, coveredMs: asked.windowMs };
}

/** Rows with the same labels are added. */
function added(hours: readonly Rows[]): Rows {
  const sums: Record<string, Map<string, Row>> = {};
  for (const hour of hours) {
    for (const [name, rows] of Object.entries(hour)) {
      sums[name] ??= new Map();
      for (const { labels, value } of rows) {
        const key = JSON.stringify(Object.entries(labels).sort());
        sums[name].set(key, { labels, value: (sums[name].get(key)?.value ?? 0) + value });
      }
    }
  }
  return Object.fromEntries(Object.entries(sums).map(([name, rows]) => [name, [...rows.values()]]));
}

function weighed(readings: readonly Reading[], measure: Measure, isMean: boolean): Reading {
  const [first] = readings;
  if (first === undefined) return NOTHING;
  const n = readings.reduce((sum, reading) => sum + reading.n, 0);
  const coveredMs = readings.length * HOUR_MS;
  if (QUANTILES.has(measure)) {
    const about = isUncounted(first) ? first.about : 'the median of its hours';
    return {
      n: isUncounted(first) ? first.n : n,
      value: weightedMedian(readings),
      sd: null,
      coveredMs,
      ...(about === undefined ? {} : { about }),
    };
  }
  const value = weightedMean(readings);
  if (isUncounted(first)) return { ...first, value, coveredMs };
  return { n, value, sd: isMean ? spread(readings) : null, coveredMs };
}

function weightedMean(readings: readonly Reading[]): number {
  const n = readings.reduce((sum, reading) => sum + reading.n, 0);
  return readings.reduce((sum, reading) => sum + (reading.value ?? 0) * reading.n, 0) / n;
}

/** The smallest value that half of the samples lie in hours at or below. */
function weightedMedian(readings: readonly Reading[]): number | null {
  const sorted = readings.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0));
  const half = sorted.reduce((sum, reading) => sum + reading.n, 0) / 2;
  let counted = 0;
  const middle = sorted.find((reading) => {
    counted += reading.n;
    return counted >= half;
  });
  return middle?.value ?? null;
}

/**
 * Standard deviation of the samples, estimated from the means of hours: the mean square between groups of an
 * analysis of variance. Where hours differ by more than chance it is larger than the samples' own, never smaller.
 */
function spread(readings: readonly Reading[]): number | null {
  if (readings.length < 2) return null;
  const mean = weightedMean(readings);
  const squares = readings.reduce((sum, { n, value }) => sum + n * ((value ?? 0) - mean) ** 2, 0);
  return Math.sqrt(squares / (readings.length - 1));
}
