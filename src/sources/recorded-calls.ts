import { callAnswers } from './call-answers.ts';
import type { CallFacts } from './call-facts.ts';
import type { CallWindow, ServiceName } from './call-statistics-store.ts';
import { mergeStats, statsOf } from './call-stats.ts';
import type { Measure, MetricSource } from './metric-source.ts';
import type { Rollup, Span } from './rollup-store.ts';
import { tells } from './stats-reading.ts';
import { HOUR_MS, MINUTE_MS, roundDown, type Stretch } from './stretch.ts';

/** One call of a record, with the events that a rule of safety would have seen in it. */
export interface CountedCall extends CallFacts, ServiceName {
  safety: readonly { rule: string; kinds: readonly string[] }[];
}

/** Calls in memory as a source, for history: it gives the readings that the database would give of the same calls. */
export function recordedCalls(calls: readonly CountedCall[]): MetricSource {
  const groups = Map.groupBy(calls, nameOf);
  const records = new Map([...groups].map(([name, its]) => [name, new ServiceRecord(its)]));
  const nothing = new ServiceRecord([]);
  const about = (of: ServiceName) => records.get(nameOf(of)) ?? nothing;
  const read = callAnswers({
    rollups: async (of) => about(of).rollups(of.span, of.stretches),
    versions: async ({ stretches }) => stretches.map(() => 0),
    facts: async (of) => of.stretches.flatMap((stretch) => about(of).within(stretch)),
    newest: async (of) => about(of).newest(of),
    safety: async (window) => about(window).safety(window),
  });
  return { name: 'recorded calls', read };
}

const nameOf = ({ service, environment }: ServiceName) => JSON.stringify([environment, service]);

class ServiceRecord {
  readonly #calls: readonly CountedCall[];
  readonly #rollups: Readonly<Record<Span, Rollup[]>>;
  readonly #telling = new Map<Measure, readonly CountedCall[]>();

  constructor(calls: readonly CountedCall[]) {
    this.#calls = calls.toSorted((a, b) => a.at.getTime() - b.at.getTime());
    const minutes = groupedBy(this.#calls, (call) => call.at.getTime(), MINUTE_MS);
    const minute = minutes.map(({ start, its }) => ({ start, stats: statsOf(its) }));
    const hours = groupedBy(minute, (rollup) => rollup.start, HOUR_MS);
    const hour = hours.map(({ start, its }) => ({ start, stats: mergeStats(its.map(({ stats }) => stats)) }));
    this.#rollups = { minute, hour };
  }

  rollups(span: Span, stretches: readonly Stretch[]): Rollup[] {
    return stretches.flatMap((stretch) => between(this.#rollups[span], (rollup) => rollup.start, stretch));
  }

  within(stretch: Stretch): CountedCall[] {
    return between(this.#calls, timeOf, stretch);
  }

  newest({ measure, limit, ...stretch }: Stretch & { measure: Measure; limit: number }): CountedCall[] {
    const telling = this.#telling.get(measure) ?? this.#calls.filter((call) => tells(call, measure));
    this.#telling.set(measure, telling);
    const to = firstFrom(telling, timeOf, stretch.to);
    const from = Math.max(firstFrom(telling, timeOf, stretch.from), to - limit);
    return telling.slice(from, to);
  }

  /** In a record, an event is noted when its call ends. */
  safety({ rule, from, to }: CallWindow & { rule: string }): { n: number; kinds: string[] } {
    const calls = this.within({ from: from.getTime(), to: to.getTime() });
    const events = calls.flatMap((call) => call.safety.filter((event) => event.rule === rule));
    return { n: events.length, kinds: [...new Set(events.flatMap(({ kinds }) => kinds))].sort() };
  }
}

const timeOf = (call: CallFacts) => call.at.getTime();

/** Runs of one unit of time; the items must be in order. */
function groupedBy<T>(
  items: readonly T[],
  startOf: (item: T) => number,
  unitMs: number,
): { start: number; its: T[] }[] {
  const groups: { start: number; its: T[] }[] = [];
  for (const item of items) {
    const start = roundDown(startOf(item), unitMs);
    const last = groups.at(-1);
    if (last?.start === start) last.its.push(item);
    else groups.push({ start, its: [item] });
  }
  return groups;
}

function between<T>(sorted: readonly T[], timeOfItem: (item: T) => number, { from, to }: Stretch): T[] {
  return sorted.slice(firstFrom(sorted, timeOfItem, from), firstFrom(sorted, timeOfItem, to));
}

/** Index of the first item at or after the time. */
function firstFrom<T>(sorted: readonly T[], timeOfItem: (item: T) => number, time: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOfItem(sorted[middle] as T) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
