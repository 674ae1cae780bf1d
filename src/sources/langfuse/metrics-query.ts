import type { Interval } from '../call.ts';
import type { Measure, Question } from '../metric-source.ts';
import { intervalsWithout } from '../own-query.ts';
import { HOUR_MS, MINUTE_MS } from '../stretch.ts';

/** What `GET /api/public/v2/metrics` takes as `query`: the part of Langfuse's language that is used here. */
export interface MetricsQuery {
  view: 'observations' | 'scores-numeric';
  metrics: { measure: string; aggregation: 'count' | 'sum' | 'avg' | 'p99' }[];
  dimensions: { field: string }[];
  filters: Filter[];
  timeDimension: { granularity: 'minute' | 'hour' } | null;
  fromTimestamp: string;
  toTimestamp: string;
  orderBy: { field: string; direction: 'asc' | 'desc' }[] | null;
  config: { row_limit: number };
}

type Filter =
  | { column: string; operator: '='; value: string; type: 'string' }
  | { column: string; operator: 'any of'; value: string[]; type: 'stringOptions' | 'arrayOptions' };

/** One query and what its rows hold. */
export interface Fetch {
  kind: 'calls' | 'latency' | 'scores' | 'outcomes';
  service: string;
  environment: string;
  window: Interval;
  /** Length of one row's time; null where one row, or one row a value, covers the window. */
  stepMs: number | null;
}

/** What must be fetched to answer a question; questions with the same key share it. */
export interface Need {
  key: string;
  isBaseline: boolean;
  fetches: Fetch[];
}

/** The selector of a service that is all of its Langfuse project. */
export const WHOLE_PROJECT = '*';
/** Langfuse gives no more rows. */
export const ROW_LIMIT = 1000;
/** Four levels a minute stay under the row limit. */
const LONGEST_BY_MINUTE_MS = 4 * HOUR_MS;
/** Windows up to an hour are read out of one answer. */
const SHARED_MS = HOUR_MS;
/** Windows of one length that end within the same five minutes before now are one window. */
const SAME_END_MS = 5 * MINUTE_MS;

const COUNT = { measure: 'count', aggregation: 'count' } as const;
const GENERATIONS: Filter = {
  column: 'type',
  operator: 'any of',
  value: ['GENERATION'],
  type: 'stringOptions',
};

const KIND_OF: Partial<Record<Measure, Fetch['kind']>> = {
  errors: 'calls',
  tokens: 'calls',
  cost: 'calls',
  spend: 'calls',
  latency: 'latency',
  score: 'scores',
};

/**
 * What answers a question; null where Langfuse has no such measure. Policy: sums come by the minute for the last hour,
 * so that errors, tokens, cost and spend of every window share one query; a quantile and the spread of the scores
 * cannot be added up, so each of their windows is a query, and of a baseline each interval that is not left out.
 */
export function needOf(question: Question, now: Date): Need | null {
  const kind = KIND_OF[question.measure];
  if (kind === undefined) return null;
  const { service, environment, isBaseline, to, excluding = [] } = question;
  const common = { kind, service, environment };
  const lengthMs = to.getTime() - question.from.getTime();
  const keyed = (coveredMs: number, about: unknown) =>
    JSON.stringify([common, isBaseline, about, placeOf({ coveredMs, to }, now)]);
  if (kind !== 'calls') {
    const windows = intervalsWithout(question, excluding);
    const fetches = windows.map((window) => ({ ...common, window, stepMs: null }));
    return { key: keyed(lengthMs, excluding), isBaseline, fetches };
  }
  const coveredMs = Math.max(lengthMs, isBaseline ? 0 : SHARED_MS);
  const window = { from: new Date(to.getTime() - coveredMs), to };
  const stepMs = coveredMs <= LONGEST_BY_MINUTE_MS ? MINUTE_MS : HOUR_MS;
  return { key: keyed(coveredMs, null), isBaseline, fetches: [{ ...common, window, stepMs }] };
}

/** What the single outcomes of a question come from, beside its measure; null where it does not want them. */
export function outcomesNeedOf(question: Question, now: Date): Need | null {
  if (!question.wantsOutcomes || question.measure !== 'score') return null;
  const { service, environment, isBaseline, from, to } = question;
  const common = { kind: 'outcomes' as const, service, environment };
  const coveredMs = to.getTime() - from.getTime();
  const key = JSON.stringify([common, isBaseline, placeOf({ coveredMs, to }, now)]);
  return { key, isBaseline, fetches: [{ ...common, window: { from, to }, stepMs: null }] };
}

function placeOf({ coveredMs, to }: { coveredMs: number; to: Date }, now: Date): number[] {
  return [Math.round(coveredMs / MINUTE_MS), Math.floor((now.getTime() - to.getTime()) / SAME_END_MS)];
}

/**
 * The query of a fetch. Policy: a service is the trace name that is its `selector`, else its own name; a selector
 * `tag:NAME` means the traces with that tag, and `*` the whole project. Its calls are the observations of type GENERATION.
 */
export function queryOf(
  fetch: Fetch & { kind: Exclude<Fetch['kind'], 'outcomes'> },
  names: { selector: string | undefined; score: string },
): MetricsQuery {
  const filters = [
    equals('environment', fetch.environment),
    ...serviceFilter(names.selector ?? fetch.service),
  ];
  const isAboutScores = fetch.kind === 'scores';
  return {
    view: isAboutScores ? 'scores-numeric' : 'observations',
    filters: [...filters, isAboutScores ? equals('name', names.score) : GENERATIONS],
    fromTimestamp: fetch.window.from.toISOString(),
    // The end is inclusive there, and not here.
    toTimestamp: new Date(fetch.window.to.getTime() - 1).toISOString(),
    config: { row_limit: ROW_LIMIT },
    ...rowsOf(fetch),
  };
}

type Grouping = Pick<MetricsQuery, 'metrics' | 'dimensions' | 'timeDimension' | 'orderBy'>;

/** What one row is, and what it holds. */
function rowsOf({ kind, stepMs }: Pick<Fetch, 'kind' | 'stepMs'>): Grouping {
  const whole = { dimensions: [], timeDimension: null, orderBy: null };
  if (kind === 'scores') return { ...whole, metrics: [COUNT], dimensions: [{ field: 'value' }] };
  if (kind === 'latency') return { ...whole, metrics: [COUNT, { measure: 'latency', aggregation: 'p99' }] };
  return {
    metrics: [
      COUNT,
      { measure: 'totalTokens', aggregation: 'sum' },
      { measure: 'totalCost', aggregation: 'sum' },
    ],
    dimensions: [{ field: 'level' }],
    timeDimension: { granularity: stepMs === MINUTE_MS ? 'minute' : 'hour' },
    // With an order of its own the answer is not filled up with empty minutes.
    orderBy: [{ field: 'time_dimension', direction: 'asc' }],
  };
}

/** Mean and number of the scores, where they have too many different values to be listed. */
export function meanQueryOf(query: MetricsQuery): MetricsQuery {
  const metrics = [...query.metrics, { measure: 'value', aggregation: 'avg' as const }];
  return { ...query, metrics, dimensions: [] };
}

function serviceFilter(selector: string): Filter[] {
  if (selector === WHOLE_PROJECT) return [];
  const tag = /^tag:(.+)$/.exec(selector)?.[1];
  if (tag === undefined) return [equals('traceName', selector)];
  return [{ column: 'tags', operator: 'any of', value: [tag], type: 'arrayOptions' }];
}

function equals(column: string, value: string): Filter {
  return { column, operator: '=', value, type: 'string' };
}
