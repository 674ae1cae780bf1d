import type { Measure, Reading } from '../metric-source.ts';
import { NOTHING, type Recipe, type Rows } from './recipe.ts';

const MEANS: ReadonlySet<Measure> = new Set(['score', 'similarity', 'tokens', 'cost']);

/**
 * A team's own query: `VALUE` or `VALUE ;; COUNT`, with `$window` where the rule's window goes; each must give one
 * series. Without a count nobody knows n: the reading then says the samples that the rule needs, so that its
 * bounds are as wide as the rule allows, and tells it in `about`.
 */
export function customQuery(text: string, { measure, needs }: { measure: Measure; needs: number }): Recipe {
  const [value = '', count] = text.split(';;').map((half) => half.trim());
  const isCounted = count !== undefined && count !== '';
  return {
    baseline: 'weigh',
    isMean: MEANS.has(measure),
    expressions: (window): Record<string, string> => ({
      value: withWindow(value, window),
      ...(isCounted ? { count: withWindow(count, window) } : {}),
    }),
    read(rows) {
      const found = only(rows, 'value');
      if (found === null) return NOTHING;
      if (!isCounted) return { n: needs, value: found, sd: null, about: N_UNKNOWN };
      const n = Math.round(only(rows, 'count') ?? 0);
      return n > 0 ? { n, value: found, sd: null } : NOTHING;
    },
  };
}

/** The same query with a different window is the same question. */
const withWindow = (query: string, window: string) =>
  query.replaceAll('${window}', window).replaceAll('$window', window);

export const N_UNKNOWN = 'n unknown: its query has no count';

export function isUncounted(reading: Reading): boolean {
  return reading.about === N_UNKNOWN;
}

/** Throws RangeError for a query that gives several series: which one was meant is not to be guessed. */
function only(rows: Rows, name: string): number | null {
  const [first, ...more] = rows[name] ?? [];
  if (more.length > 0) {
    throw new RangeError(
      `the ${name} query gave ${more.length + 1} series where one is wanted; sum() or max() them`,
    );
  }
  return first?.value ?? null;
}
