import { type CallFacts, isHallucinating, tokensOf } from './call-facts.ts';
import type { CallStats, Moments, StatsKey } from './call-stats.ts';
import { sizeOf, valueAtRank } from './centroids.ts';
import type { Centroids, JudgeScores, Measure, Question, Reading } from './metric-source.ts';
import { boundRanks } from './quantile.ts';
import { HOUR_MS, MINUTE_MS, stretchOf, without } from './stretch.ts';

/** What a reading of each measure is made of. The measures that are not here, calls cannot tell. */
const MADE_OF: Partial<Record<Measure, readonly StatsKey[]>> = {
  errors: ['errors', 'calls'],
  format: ['passed', 'formatted'],
  refusals: ['refused', 'refusable'],
  hallucination: ['hallucinating', 'inspected'],
  score: ['score', 'scores', 'judges'],
  similarity: ['similarity'],
  tokens: ['tokens', 'perRequest'],
  cost: ['cost'],
  spend: ['cost'],
  latency: ['latency'],
  length: ['outputChars'],
  'input-length': ['inputChars'],
  largest: ['perRequest', 'maxTokens'],
  words: ['worded', 'words'],
  offender: ['tokens', 'parts'],
};

export function isFromCalls(measure: Measure): boolean {
  return MADE_OF[measure] !== undefined;
}

/** The statistics that readings of these measures need. */
export function keysFor(measures: Iterable<Measure>): StatsKey[] {
  const keys = new Set<StatsKey>(['firstMs', 'perMinute']);
  for (const measure of measures) for (const key of MADE_OF[measure] ?? []) keys.add(key);
  return [...keys];
}

type Asked = Pick<Question, 'measure' | 'from' | 'to' | 'excluding'>;

/** What the calls of the question's time say about its measure. Its measure must be one that calls can tell. */
export function readingOf(stats: CallStats, question: Asked): Reading {
  const coveredMs = coveredBy(stats, question);
  const minutes = Math.max(stats.perMinute[0], Math.ceil(coveredMs / MINUTE_MS));
  const dispersion = dispersionOf(stats.perMinute, minutes);
  return { ...measured(stats, question), coveredMs, ...(dispersion === null ? {} : { dispersion }) };
}

/** From the first call on, without what is left out. */
function coveredBy({ firstMs }: CallStats, question: Asked): number {
  if (firstMs === null) return 0;
  const covered = without(
    { from: firstMs, to: question.to.getTime() },
    (question.excluding ?? []).map(stretchOf),
  );
  return covered.reduce((sum, { from, to }) => sum + to - from, 0);
}

function measured(stats: CallStats, question: Asked): Reading {
  switch (question.measure) {
    case 'errors':
      return share(stats.errors, stats.calls);
    case 'format':
      return share(stats.passed, stats.formatted);
    case 'refusals':
      return share(stats.refused, stats.refusable);
    case 'hallucination':
      return share(stats.hallucinating, stats.inspected);
    case 'score':
      return { ...mean(stats.score), distribution: stats.scores, judges: judgeScores(stats) };
    case 'similarity':
      return mean(stats.similarity);
    case 'tokens':
      return { ...mean(stats.tokens), distribution: stats.perRequest };
    case 'cost':
      return mean(stats.cost);
    case 'spend':
      return spend(stats, question.to.getTime() - question.from.getTime());
    case 'latency':
      return quantile(stats.latency, 0.99);
    case 'length':
      return quantile(stats.outputChars, 0.5);
    case 'input-length':
      return quantile(stats.inputChars, 0.5);
    case 'largest':
      return { ...quantile(stats.perRequest, 0.95), max: stats.maxTokens };
    case 'words':
      return {
        n: stats.worded,
        value: stats.worded === 0 ? null : total(stats.words),
        sd: null,
        words: stats.words,
      };
    case 'offender':
      return offender(stats);
    default:
      throw new Error(`calls do not tell ${question.measure}`);
  }
}

/** The measure's single outcomes, in order: 0 or 1 for format, the score for score; null when it has none. */
export function outcomesOf(calls: readonly CallFacts[], measure: Measure): number[] | null {
  if (measure === 'format')
    return calls.flatMap(({ formatOk }) => (formatOk === null ? [] : [formatOk ? 1 : 0]));
  return measure === 'score' ? calls.flatMap(({ quality }) => quality ?? []) : null;
}

/** True when the call says something about the measure. */
export function tells(call: CallFacts, measure: Measure): boolean {
  switch (measure) {
    case 'format':
      return call.formatOk !== null;
    case 'refusals':
      return call.refused !== null;
    case 'hallucination':
      return isHallucinating(call) !== null;
    case 'score':
      return call.quality !== null;
    case 'similarity':
      return call.similarity !== null;
    case 'cost':
    case 'spend':
      return call.costUsd !== null;
    case 'latency':
      return call.latencyMs !== null;
    case 'length':
      return call.outputChars !== null;
    case 'input-length':
      return call.inputChars !== null;
    case 'words':
      return call.words !== null;
    case 'tokens':
    case 'largest':
    case 'offender':
      return tokensOf(call) !== null;
    default:
      return call.isSpan;
  }
}

function share(part: number, n: number): Reading {
  return { n, value: n === 0 ? null : part / n, sd: null };
}

function mean(moments: Moments): Reading {
  const [n, sum] = moments;
  return { n, value: n === 0 ? null : sum / n, sd: sdOf(moments) };
}

function sdOf([n, sum, squares]: Moments): number | null {
  return n < 2 ? null : Math.sqrt(Math.max(0, squares - (sum * sum) / n) / (n - 1));
}

function judgeScores(stats: CallStats): Record<string, JudgeScores> {
  const entries = Object.entries(stats.judges).map(([judge, { scores, since }]): [string, JudgeScores] => [
    judge,
    { n: scores[0], mean: scores[1] / scores[0], sd: sdOf(scores), since: new Date(since) },
  ]);
  return Object.fromEntries(entries);
}

/** What the window cost, at the same rate for an hour. */
function spend(stats: CallStats, windowMs: number): Reading {
  const [n, sum] = stats.cost;
  return { n, value: n === 0 ? null : (sum * HOUR_MS) / windowMs, sd: null };
}

/** Policy: a quantile and its bounds are values of the sample, never ones between: answers may be "Yes" or a page. */
function quantile(digest: Centroids, p: number): Reading {
  const n = sizeOf(digest);
  if (n === 0) return { n, value: null, sd: null };
  const { lower, upper } = boundRanks(n, p);
  return {
    n,
    value: valueAtRank(digest, Math.ceil(n * p)),
    sd: null,
    ...(lower === null ? {} : { lower: valueAtRank(digest, lower) }),
    ...(upper === null ? {} : { upper: valueAtRank(digest, upper) }),
    distribution: digest,
  };
}

function offender(stats: CallStats): Reading {
  const [n, tokens] = stats.tokens;
  const named = Object.entries(stats.parts).filter(([name]) => !name.startsWith('other '));
  const [busiest] = named.toSorted(([a, x], [b, y]) => y.tokens - x.tokens || (a < b ? -1 : 1));
  const parts = Object.fromEntries(named);
  if (busiest === undefined || tokens === 0) return { n, value: null, sd: null, parts };
  return { n, value: busiest[1].tokens / tokens, sd: null, parts, about: busiest[0] };
}

function dispersionOf([, sum, squares]: Moments, minutes: number): number | null {
  if (minutes < 2 || sum === 0) return null;
  const perMinute = sum / minutes;
  return (squares - minutes * perMinute * perMinute) / (minutes - 1) / perMinute;
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
