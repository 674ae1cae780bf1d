import type { Part, Reading } from '../metric-source.ts';
import { type Bucket, centroidsOf, completeBuckets, largestAtLeast, quantileOf } from './histogram.ts';
import { growth } from './promql.ts';

/** One finite number of an answer. The metric's name and the batch's tag are not among the labels. */
export interface Row {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export type Rows = Readonly<Record<string, readonly Row[]>>;

/** What the numbers were asked for. */
export interface Asked {
  windowMs: number;
  rule: string;
}

/** How a measure is asked of Prometheus, and what is made of the answers. */
export interface Recipe {
  /** PromQL by a name of the recipe's own; `window` is a PromQL duration. */
  expressions(window: string): Readonly<Record<string, string>>;
  read(rows: Rows, asked: Asked): Reading;
  /**
   * How hours become a baseline. `sum`: the rows of the hours are added, then read once. `weigh`: every hour is
   * read, and the readings are weighed by n (for quantiles their median). `whole`: one window over all the days,
   * with the times of incidents in it.
   */
  baseline: 'sum' | 'weigh' | 'whole';
  /** True for means of samples: the spread between hours tells their standard deviation. */
  isMean: boolean;
}

const Z_ONE_SIDED_95 = 1.6448536269514722;
const HOUR_MS = 3_600_000;
/** So many of the busiest users are read. */
const BUSIEST = 20;

export const NOTHING: Reading = { n: 0, value: null, sd: null };

interface RatioOf {
  selector: string;
  /** Counters whose growth is added up; each with further label matchers if need be. */
  part: readonly Counter[];
  whole: readonly Counter[];
  /** `zero`: counters of bad events appear with the first one. Good events that are absent are no data. */
  absentPart: 'zero' | 'no-data';
  /** True for means, false for shares. */
  isMean?: boolean;
  /** True for means of values from 0 to 1. */
  isBounded?: boolean;
}

export interface Counter {
  metric: string;
  matchers?: string;
}

/**
 * Growth of the part over growth of the whole. The standard deviation of a window's scores is unknown; given is
 * the largest that scores from 0 to 1 with this mean can have (R. Bhatia and C. Davis, 2000): bounds are safe.
 */
export function ratio(of: RatioOf): Recipe {
  const { isMean = false, isBounded = false } = of;
  return {
    baseline: 'sum',
    isMean,
    expressions: (window) => ({
      ...growths('part', of.part, { selector: of.selector, window }),
      ...growths('whole', of.whole, { selector: of.selector, window }),
    }),
    read(rows) {
      const whole = summed(rows, 'whole');
      const part = summed(rows, 'part') ?? (of.absentPart === 'zero' ? 0 : null);
      const n = Math.round(whole ?? 0);
      if (whole === null || whole <= 0 || n === 0 || part === null) return NOTHING;
      const value = isMean ? part / whole : Math.min(1, Math.max(0, part / whole));
      const largest = Math.sqrt((Math.max(0, value * (1 - value)) * n) / Math.max(1, n - 1));
      return { n, value, sd: isBounded ? largest : null };
    },
  };
}

/** `scale` turns the histogram's unit into the measure's, whose name is `unit`. */
export function quantile(of: {
  selector: string;
  metric: string;
  share: number;
  scale: number;
  unit: string;
  hasMax?: boolean;
}): Recipe {
  return {
    baseline: 'sum',
    isMean: false,
    expressions: (window) => ({
      buckets: growth(`${of.metric}_bucket`, { selector: of.selector, window, by: ['le'] }),
    }),
    read(rows) {
      const buckets = completeBuckets((rows['buckets'] ?? []).flatMap((row) => bucketOf(row, of.scale)));
      const n = Math.round(buckets?.at(-1)?.count ?? 0);
      if (buckets === null || n === 0) return NOTHING;
      const found = quantileOf(buckets, of.share);
      const half = Z_ONE_SIDED_95 * Math.sqrt((of.share * (1 - of.share)) / n);
      return {
        n,
        value: found.value,
        sd: null,
        lower: quantileOf(buckets, Math.max(0, of.share - half)).from,
        // Beyond the last edge nothing is known; the lower edge is all that can be said in a finite number.
        ...finiteUpper(quantileOf(buckets, Math.min(1, of.share + half)).to),
        ...(of.hasMax === true ? { max: largestAtLeast(buckets) } : {}),
        distribution: centroidsOf(buckets),
        about: rangeText(found, of.unit),
      };
    },
  };
}

/** USD an hour, projected from the window. */
export function spend(of: { selector: string; spent: Counter; calls: Counter }): Recipe {
  return {
    baseline: 'sum',
    isMean: false,
    expressions: (window) => ({
      ...growths('spent', [of.spent], { selector: of.selector, window }),
      ...growths('calls', [of.calls], { selector: of.selector, window }),
    }),
    read(rows, { windowMs }) {
      const spent = summed(rows, 'spent');
      const n = Math.round(summed(rows, 'calls') ?? 0);
      if (spent === null || n === 0) return NOTHING;
      return { n, value: (spent * HOUR_MS) / windowMs, sd: null, coveredMs: windowMs };
    },
  };
}

/** The busiest users by tokens. A label that is missing says "None" in some gateways: it names nobody. */
export function busiest(of: { selector: string; tokens: string; calls: string; label: string }): Recipe {
  const named = `${of.selector}, ${of.label}!~"None|"`;
  return {
    baseline: 'whole',
    isMean: false,
    expressions: (window) => ({
      ...growths('all', [{ metric: of.tokens }], { selector: of.selector, window }),
      ...growths('calls', [{ metric: of.calls }], { selector: of.selector, window }),
      tokensBy: `topk(${BUSIEST}, ${growth(of.tokens, { selector: named, window, by: [of.label] })})`,
      callsBy: `topk(${BUSIEST}, ${growth(of.calls, { selector: named, window, by: [of.label] })})`,
    }),
    read(rows, { windowMs }) {
      const all = summed(rows, 'all') ?? 0;
      const n = Math.round(summed(rows, 'calls') ?? 0);
      const parts = partsBy(rows, of.label);
      const [first] = Object.entries(parts).sort(([, a], [, b]) => b.tokens - a.tokens);
      if (all <= 0 || n === 0 || first === undefined) return { ...NOTHING, n };
      const [about, { tokens }] = first;
      return { n, value: Math.min(1, tokens / all), sd: null, parts, about, coveredMs: windowMs };
    },
  };
}

function partsBy(rows: Rows, label: string): Record<string, Part> {
  const calls = new Map(rows['callsBy']?.map((row) => [row.labels[label], Math.round(row.value)]));
  return Object.fromEntries(
    (rows['tokensBy'] ?? [])
      .filter((row) => row.value > 0)
      .map((row) => {
        const name = row.labels[label] ?? '';
        return [`user ${name}`, { calls: calls.get(name) ?? 0, tokens: Math.round(row.value) }];
      }),
  );
}

/**
 * Events by kind; the kind is the rule's name without its category. A counter that was born within the window
 * counts whole, because its first event made it.
 */
export function eventsByKind(of: { selector: string; metric: string; label: string; calls: string }): Recipe {
  const series = `${of.metric}{${of.selector}}`;
  return {
    baseline: 'sum',
    isMean: false,
    expressions: (window) => ({
      grown: `sum by (${of.label}) (increase(${series}[${window}]) and ${series} offset ${window})`,
      born: `sum by (${of.label}) (${series} unless ${series} offset ${window})`,
      ...growths('calls', [{ metric: of.calls }], { selector: of.selector, window }),
    }),
    read(rows, { rule }) {
      const kind = rule.slice(rule.indexOf('.') + 1);
      const events = [...(rows['grown'] ?? []), ...(rows['born'] ?? [])]
        .filter((row) => row.labels[of.label] === kind)
        .reduce((sum, row) => sum + row.value, 0);
      const n = Math.max(Math.round(events), Math.round(summed(rows, 'calls') ?? 0));
      return n > 0 ? { n, value: Math.round(events), sd: null } : NOTHING;
    },
  };
}

function growths(
  name: string,
  counters: readonly Counter[],
  over: { selector: string; window: string },
): Record<string, string> {
  return Object.fromEntries(
    counters.map(({ metric, matchers }, place) => {
      const selector = matchers === undefined ? over.selector : `${over.selector}, ${matchers}`;
      return [`${name}.${place}`, growth(metric, { selector, window: over.window })];
    }),
  );
}

/** Sum over the counters that have anything; null when none has. */
function summed(rows: Rows, name: string): number | null {
  const found = Object.entries(rows).flatMap(([of, values]) => (of.startsWith(`${name}.`) ? values : []));
  return found.length === 0 ? null : found.reduce((sum, row) => sum + row.value, 0);
}

function bucketOf({ labels, value }: Row, scale: number): Bucket[] {
  const text = labels['le'];
  if (text === undefined) return [];
  const le = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text) * scale;
  return Number.isNaN(le) ? [] : [{ le, count: value }];
}

function rangeText({ from, to }: { from: number; to: number }, unit: string): string {
  if (to === Number.POSITIVE_INFINITY)
    return `more than ${tidy(from)} ${unit}, the last edge of its histogram`;
  return `somewhere from ${tidy(from)} to ${tidy(to)} ${unit}, a bucket of its histogram`;
}

const finiteUpper = (upper: number): { upper?: number } => (Number.isFinite(upper) ? { upper } : {});
const tidy = (value: number) => Number(value.toPrecision(6));
