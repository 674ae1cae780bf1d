import type { Interval } from './call.ts';

/**
 * What can be measured about a service.
 * Shares of calls, 0..1: `errors`, `format` (passed), `refusals`, `hallucination`, `health` (failed probes),
 * `provider` (failing components), `blocks` (outputs that the check
 * before delivery blocked). Means: `score` and `similarity` (0..1), `tokens` and `cost` per request (USD).
 * Quantiles: `latency` (99 %, ms), `length` (median of output characters), `input-length` (median), `largest` (95 % of
 * tokens per request; `max` is the largest one). `spend`: USD per hour, projected. `offender`: share of all tokens
 * that the busiest user or endpoint took. `words`: the vocabulary of the outputs. `safety`: how many events.
 */
export type Measure =
  | 'errors'
  | 'latency'
  | 'health'
  | 'provider'
  | 'score'
  | 'similarity'
  | 'format'
  | 'refusals'
  | 'hallucination'
  | 'length'
  | 'input-length'
  | 'words'
  | 'tokens'
  | 'cost'
  | 'largest'
  | 'spend'
  | 'offender'
  | 'canaries'
  | 'blocks'
  | 'safety';

/** One measurement that a rule asks for, over `from` ≤ time < `to`, leaving out `excluding`. */
export interface Question extends Interval {
  service: string;
  environment: string;
  /** The rule that asks; a source may have a query of its own for it. */
  rule: string;
  measure: Measure;
  /** Only the newest calls of the window, at most so many. */
  newest?: number;
  /** The samples that the rule needs; a source that cannot count says so many, and says that it cannot. */
  needs?: number;
  excluding?: readonly Interval[];
  /** True when it is what the window is compared with: it changes slowly and may be a few minutes old. */
  isBaseline: boolean;
  /** Also the single outcomes, for a sequential test. */
  wantsOutcomes?: true;
}

export interface Part {
  calls: number;
  tokens: number;
}

/** Calls and mean score of one judge. */
export interface JudgeScores {
  n: number;
  mean: number;
  sd: number | null;
  /** When it first scored within the window. */
  since: Date | null;
}

/** Means and counts of a digest's centroids, in order of the mean. */
export type Centroids = readonly (readonly [mean: number, count: number])[];

/** What a source measured. A source that cannot tell n says 0 only when it knows that there was nothing. */
export interface Reading {
  /** Samples behind the value. */
  n: number;
  /** Null when there was nothing to measure. */
  value: number | null;
  /** Of the sample, when the value is a mean; null where the source does not know it. */
  sd: number | null;
  /** One-sided 95 % bounds of the value where the source knows them; quantiles have them. */
  lower?: number;
  upper?: number;
  max?: number;
  distribution?: Centroids;
  /** Counts of hashed words. */
  words?: readonly number[];
  /** By "user NAME" or "endpoint NAME": the busiest ones. */
  parts?: Readonly<Record<string, Part>>;
  judges?: Readonly<Record<string, JudgeScores>>;
  /** Single outcomes in the order of their time, the newest last: 0 or 1, or scores from 0 to 1. */
  outcomes?: readonly number[];
  /** Time within the window that samples really cover, in milliseconds. */
  coveredMs?: number;
  /** Variance of the calls per minute over their mean. */
  dispersion?: number;
  /** What the value is about, for people: a component, an offender, a kind of event. */
  about?: string;
}

export type Answer =
  | { kind: 'reading'; reading: Reading }
  /** This source has no such measure for this service. */
  | { kind: 'unsupported' }
  /** This one question failed: the query is wrong, or its answer is not a number. */
  | { kind: 'problem'; problem: string };

/** Where rules get their numbers. */
export interface MetricSource {
  readonly name: string;
  /**
   * One answer a question, in order. A question that fails alone is answered with its problem. Throws
   * ExternalError when the source cannot be reached; it never takes longer than its own timeout.
   */
  read(questions: readonly Question[], now: Date): Promise<Answer[]>;
}
