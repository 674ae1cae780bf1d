import { storableText } from './otlp-value.ts';

const BATCH_ROWS = 500;

export function keyOfCall(call: { traceId: string; spanId: string }): string {
  return `${call.traceId}/${call.spanId}`;
}

export function keyOfRow(row: { trace_id: string; span_id: string }): string {
  return `${row.trace_id}/${row.span_id}`;
}

/** First of each key, sorted by it: two writers of the same calls then lock them in the same order. */
export function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const unique = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (!unique.has(key)) unique.set(key, item);
  }
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

/** Runs of at most 500, in order. */
export function batchesOf<T>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += BATCH_ROWS) {
    batches.push(items.slice(start, start + BATCH_ROWS));
  }
  return batches;
}

/** The escapes that JSON.stringify writes for what Postgres cannot store; a text may hold them by chance. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/;

/** A batch as one JSON text: one parameter and one plan, whatever its size. All its texts can be stored. */
export function recordsOf(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  if (!SUSPICIOUS.test(text)) return text;
  return JSON.stringify(rows, (_key, value: unknown) =>
    typeof value === 'string' ? storableText(value) : value,
  );
}
