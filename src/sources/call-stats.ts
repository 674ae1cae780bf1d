import { type CallFacts, isHallucinating, tokensOf } from './call-facts.ts';
import { busiest, partsOf } from './call-parts.ts';
import { centroidsOf, mergeCentroids } from './centroids.ts';
import type { Centroids, Part } from './metric-source.ts';
import { MINUTE_MS } from './stretch.ts';

/** A sample's size, sum and sum of squares. */
export type Moments = readonly [n: number, sum: number, squares: number];

/** `since`: the first score, in ms. */
export type Judges = Readonly<Record<string, { scores: Moments; since: number }>>;

/** Everything that calls of one service are worth to a rule, in a form that merges and is plain JSON. */
export interface CallStats {
  calls: number;
  errors: number;
  formatted: number;
  passed: number;
  /** Outputs that were looked at for refusals, and those that were some. */
  refusable: number;
  refused: number;
  /** Outputs that were looked at for signals of hallucination, and those with one. */
  inspected: number;
  hallucinating: number;
  score: Moments;
  similarity: Moments;
  tokens: Moments;
  cost: Moments;
  /** Calls per minute, over the minutes that had any. */
  perMinute: Moments;
  judges: Judges;
  latency: Centroids;
  outputChars: Centroids;
  inputChars: Centroids;
  perRequest: Centroids;
  scores: Centroids;
  maxTokens: number;
  /** Outputs whose words were counted, and their words by bucket. */
  worded: number;
  words: readonly number[];
  /** By "user NAME" and "endpoint NAME": the busiest 100 of each, the others as "other users", "other endpoints". */
  parts: Readonly<Record<string, Part>>;
  /** End of the first call, ms; null when there was none. */
  firstMs: number | null;
}

export type StatsKey = keyof CallStats;

interface Counter<T> {
  of(calls: readonly CallFacts[]): T;
  merge(all: readonly T[]): T;
}

const COUNTERS: { readonly [K in StatsKey]: Counter<CallStats[K]> } = {
  calls: counting((call) => call.isSpan),
  errors: counting((call) => call.isSpan && call.failed),
  formatted: counting((call) => call.formatOk !== null),
  passed: counting((call) => call.formatOk === true),
  refusable: counting((call) => call.refused !== null),
  refused: counting((call) => call.refused === true),
  inspected: counting((call) => isHallucinating(call) !== null),
  hallucinating: counting((call) => isHallucinating(call) === true),
  score: { of: (calls) => momentsOf(scoresOf(calls)), merge: sumOfMoments },
  similarity: { of: (calls) => momentsOf(present(calls, (call) => call.similarity)), merge: sumOfMoments },
  tokens: { of: (calls) => momentsOf(present(calls, tokensOf)), merge: sumOfMoments },
  cost: { of: (calls) => momentsOf(present(calls, (call) => call.costUsd)), merge: sumOfMoments },
  perMinute: { of: (calls) => momentsOf(callsPerMinute(calls)), merge: sumOfMoments },
  judges: { of: judgesOf, merge: mergeJudges },
  latency: digesting((call) => call.latencyMs),
  outputChars: digesting((call) => call.outputChars),
  inputChars: digesting((call) => call.inputChars),
  perRequest: digesting(tokensOf),
  scores: { of: (calls) => centroidsOf(scoresOf(calls)), merge: mergeCentroids },
  maxTokens: { of: (calls) => largest(present(calls, tokensOf)) ?? 0, merge: (all) => largest(all) ?? 0 },
  worded: counting((call) => call.words !== null),
  words: {
    of: (calls) => sumOfWords(calls.flatMap(({ words }) => (words === null ? [] : [words]))),
    merge: sumOfWords,
  },
  parts: {
    of: (calls) => busiest(calls.flatMap((call) => (call.isSpan ? partsOf(call) : []))),
    merge: (all) => busiest(all.flatMap((parts) => Object.entries(parts))),
  },
  firstMs: {
    of: (calls) => smallest(calls.map((call) => call.at.getTime())),
    merge: (all) => smallest(all.filter((ms) => ms !== null)),
  },
};

const ALL_KEYS = Object.keys(COUNTERS) as StatsKey[];

export const NO_STATS = Object.fromEntries(
  ALL_KEYS.map((key) => [key, COUNTERS[key].of([])]),
) as unknown as CallStats;

/** What these calls are worth together; of the `keys` only, when they are named: the others count nothing. */
export function statsOf(calls: readonly CallFacts[], keys: readonly StatsKey[] = ALL_KEYS): CallStats {
  return calls.length === 0 ? NO_STATS : countWith(keys, (counter) => counter.of(calls));
}

/** As if the calls of all had been counted at once; digests are merged, and lose a little sharpness. */
export function mergeStats(all: readonly CallStats[], keys: readonly StatsKey[] = ALL_KEYS): CallStats {
  const full = all.filter((stats) => stats.firstMs !== null);
  if (full.length <= 1) return full[0] ?? NO_STATS;
  return countWith(keys, (counter, key) => counter.merge(full.map((stats) => stats[key])));
}

/** What has to be stored: all but what counts nothing. */
export function statsToJson(stats: CallStats): Partial<CallStats> {
  const counted = Object.entries(stats).filter(([key, value]) => !isNothing(key as StatsKey, value));
  return Object.fromEntries(counted);
}

/** Stored statistics; what was not stored counts nothing. */
export function statsFromJson(json: Partial<CallStats>): CallStats {
  return { ...NO_STATS, ...json };
}

function isNothing(key: StatsKey, value: unknown): boolean {
  return value === NO_STATS[key] || JSON.stringify(value) === JSON.stringify(NO_STATS[key]);
}

function countWith(
  keys: readonly StatsKey[],
  count: <K extends StatsKey>(counter: Counter<CallStats[K]>, key: K) => CallStats[K],
): CallStats {
  const stats = { ...NO_STATS };
  const add = <K extends StatsKey>(key: K) => {
    stats[key] = count(COUNTERS[key] as Counter<CallStats[K]>, key);
  };
  for (const key of keys) add(key);
  return stats;
}

function counting(is: (call: CallFacts) => boolean): Counter<number> {
  return {
    of: (calls) => calls.reduce((n, call) => (is(call) ? n + 1 : n), 0),
    merge: (all) => all.reduce((sum, n) => sum + n, 0),
  };
}

function digesting(of: (call: CallFacts) => number | null): Counter<Centroids> {
  return { of: (calls) => centroidsOf(present(calls, of)), merge: mergeCentroids };
}

function present(calls: readonly CallFacts[], of: (call: CallFacts) => number | null): number[] {
  const values: number[] = [];
  for (const call of calls) {
    const value = of(call);
    if (value !== null && Number.isFinite(value)) values.push(value);
  }
  return values;
}

function scoresOf(calls: readonly CallFacts[]): number[] {
  return present(calls, (call) => call.quality);
}

function momentsOf(values: readonly number[]): Moments {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return [values.length, sum, squares];
}

function sumOfMoments(all: readonly Moments[]): Moments {
  let [n, sum, squares] = [0, 0, 0];
  for (const one of all) {
    n += one[0];
    sum += one[1];
    squares += one[2];
  }
  return [n, sum, squares];
}

function callsPerMinute(calls: readonly CallFacts[]): number[] {
  const counts = new Map<number, number>();
  for (const { at, isSpan } of calls) {
    const minute = Math.floor(at.getTime() / MINUTE_MS);
    if (isSpan) counts.set(minute, (counts.get(minute) ?? 0) + 1);
  }
  return [...counts.values()];
}

function judgesOf(calls: readonly CallFacts[]): Judges {
  const scored = calls.filter((call) => call.quality !== null);
  const entries = [...Map.groupBy(scored, (call) => call.judge ?? 'unnamed')].map(
    ([judge, its]): [string, Judges[string]] => [
      judge,
      { scores: momentsOf(scoresOf(its)), since: smallest(its.map((call) => call.at.getTime())) ?? 0 },
    ],
  );
  return Object.fromEntries(entries);
}

function mergeJudges(all: readonly Judges[]): Judges {
  const merged = new Map<string, Judges[string]>();
  for (const judges of all) {
    for (const [judge, { scores, since }] of Object.entries(judges)) {
      const known = merged.get(judge);
      if (known === undefined) merged.set(judge, { scores, since });
      else
        merged.set(judge, {
          scores: sumOfMoments([known.scores, scores]),
          since: Math.min(known.since, since),
        });
    }
  }
  return Object.fromEntries(merged);
}

function sumOfWords(all: readonly (readonly number[])[]): number[] {
  const sum: number[] = [];
  for (const words of all) {
    for (let bucket = 0; bucket < words.length; bucket += 1)
      sum[bucket] = (sum[bucket] ?? 0) + (words[bucket] ?? 0);
  }
  return sum;
}

// Math.min and Math.max of a long list overflow the stack.
function smallest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => (b < a ? b : a));
}

function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => (b > a ? b : a));
}
