import { z } from 'zod';
import type { Interval } from '../call.ts';
import type { Measure, Reading } from '../metric-source.ts';
import { mergedReading, NOTHING } from '../own-query.ts';
import { type Fetch, ROW_LIMIT } from './metrics-query.ts';

/** ClickHouse's 64-bit numbers and decimals arrive as texts; an empty sum or quantile as null or "nan". */
const numeric = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => (value === null || value === undefined || value === '' ? Number.NaN : Number(value)));
const count = numeric.transform((value) => (Number.isFinite(value) ? value : 0));
const amount = numeric.transform((value) => (Number.isFinite(value) ? value : null));

/** "2026-01-05 10:00:00" is in UTC, as is the ISO form. */
const time = z
  .string()
  .transform((text) => new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`));

const callsRow = z.object({
  time_dimension: time,
  level: z.string().nullish(),
  count_count: count,
  sum_totalTokens: amount,
  sum_totalCost: amount,
});
const latencyRow = z.object({ count_count: count, p99_latency: amount });
const scoreRow = z.object({ value: amount, count_count: count });
const meanRow = z.object({ avg_value: amount, count_count: count });

const answer = z.object({ data: z.array(z.record(z.string(), z.unknown())) });

/** What came back for a fetch. */
export type Fetched =
  | { kind: 'calls'; rows: z.infer<typeof callsRow>[]; stepMs: number }
  | { kind: 'reading'; reading: Reading }
  /** In the order of their time. */
  | { kind: 'outcomes'; outcomes: number[] }
  | { kind: 'problem'; problem: string };

/**
 * Reads the answer to a fetch's query; `too-many` different scores can only be asked for their mean. Throws ZodError
 * for what is not Langfuse's answer.
 */
export function fetchedFrom(body: unknown, fetch: Fetch): Fetched | 'too-many' {
  const { data } = answer.parse(body);
  if (fetch.kind === 'latency') {
    const row = latencyRow.array().parse(data)[0];
    const known = row !== undefined && row.count_count > 0 && row.p99_latency !== null;
    return {
      kind: 'reading',
      reading: known ? { n: row.count_count, value: row.p99_latency, sd: null } : NOTHING,
    };
  }
  if (fetch.kind === 'scores') {
    if (data.length >= ROW_LIMIT) return 'too-many';
    return { kind: 'reading', reading: scoreReading(scoreRow.array().parse(data)) };
  }
  if (data.length >= ROW_LIMIT) {
    return { kind: 'problem', problem: `Langfuse answered only the first ${ROW_LIMIT} rows of this window` };
  }
  return { kind: 'calls', rows: callsRow.array().parse(data), stepMs: fetch.stepMs ?? 0 };
}

/** Policy: where only the mean is known, the spread is taken as the largest that scores from 0 to 1 can have. */
export function meanFrom(body: unknown): Reading {
  const row = meanRow.array().parse(answer.parse(body).data)[0];
  if (row === undefined || row.count_count === 0 || row.avg_value === null) return NOTHING;
  const { count_count: n, avg_value: value } = row;
  const isShare = n > 1 && value >= 0 && value <= 1;
  return { n, value, sd: isShare ? Math.sqrt((value * (1 - value) * n) / (n - 1)) : null };
}

/** The exact mean and spread, from how often each value was given. */
function scoreReading(rows: z.infer<typeof scoreRow>[]): Reading {
  return mergedReading(
    rows.map(({ value, count_count: n }) => ({ n: value === null ? 0 : n, value, sd: n > 1 ? 0 : null })),
  );
}

/**
 * The measure of a question over `window`, out of sums by the minute or hour. Policy: a row counts when it begins in
 * the window and none of its time is left out; errors are the calls with level ERROR.
 */
export function callsReading(
  { rows, stepMs }: Fetched & { kind: 'calls' },
  asked: { measure: Measure; window: Interval; excluding: readonly Interval[] },
): Reading {
  const { measure, window, excluding } = asked;
  const isInside = (start: number) => start >= window.from.getTime() && start < window.to.getTime();
  const isLeftOut = (start: number) =>
    excluding.some(({ from, to }) => start < to.getTime() && start + stepMs > from.getTime());
  const within = rows.filter(({ time_dimension }) => {
    const start = time_dimension.getTime();
    return isInside(start) && !isLeftOut(start);
  });
  const n = sumOf(within, (row) => row.count_count);
  if (n === 0) return NOTHING;
  if (measure === 'errors') {
    const value = sumOf(within, (row) => (row.level === 'ERROR' ? row.count_count : 0)) / n;
    return { n, value, sd: n > 1 ? Math.sqrt((value * (1 - value) * n) / (n - 1)) : null };
  }
  const total = sumOf(within, (row) => (measure === 'tokens' ? row.sum_totalTokens : row.sum_totalCost) ?? 0);
  if (measure !== 'spend') return { n, value: total / n, sd: null };
  return { n, value: (total * 3_600_000) / coveredMs({ window, excluding }, stepMs), sd: null };
}

/** Time of the window that whole rows can cover. */
function coveredMs(asked: { window: Interval; excluding: readonly Interval[] }, stepMs: number): number {
  const { window, excluding } = asked;
  let covered = 0;
  for (
    let start = Math.ceil(window.from.getTime() / stepMs) * stepMs;
    start < window.to.getTime();
    start += stepMs
  ) {
    const isLeftOut = excluding.some(
      ({ from, to }) => start < to.getTime() && start + stepMs > from.getTime(),
    );
    if (!isLeftOut) covered += Math.min(stepMs, window.to.getTime() - start);
  }
  return covered;
}

function sumOf<Row>(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}
