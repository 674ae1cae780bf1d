import type { JudgeScores, Reading } from '../sources/metric-source.ts';
import type { Summary } from './statistics.ts';

/** Scores of the same service: now, and what they are compared with. */
export interface ScoredBy {
  window: Reading | null;
  baseline: Reading | null;
}

export type JudgeChange =
  | { kind: 'same' }
  /** `since`: when the new judge first scored, as far as the two readings know. */
  | { kind: 'changed'; from: string; to: string; since: Date | null };

/**
 * Policy: the judge changed when the evaluator that gave most scores of the window is not the one that gave most of
 * the baseline. Where the source does not know its judges there is nothing to say, which counts as the same.
 */
export function judgeChange({ window, baseline }: ScoredBy): JudgeChange {
  const [to, from] = [majorityJudge(window), majorityJudge(baseline)];
  if (to === null || from === null || to === from) return { kind: 'same' };
  const starts = [baseline, window].flatMap((reading) => judgesOf(reading)[to]?.since ?? []);
  const since = starts.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null;
  return { kind: 'changed', from, to, since };
}

/**
 * Policy: scores are compared only with scores of the same judge: both sides keep what the window's majority judge
 * gave. A baseline that it never scored has n 0. Without known judges both sides stay as they are.
 */
export function comparableReadings({ window, baseline }: ScoredBy): ScoredBy {
  const judge = majorityJudge(window);
  if (judge === null) return { window, baseline };
  return { window: onlyBy(judge, window), baseline: onlyBy(judge, baseline) };
}

/** The same as `comparableReadings`, as summaries. */
export function comparable(scores: ScoredBy): { window: Summary; baseline: Summary } {
  const { window, baseline } = comparableReadings(scores);
  return { window: summaryOf(window), baseline: summaryOf(baseline) };
}

/** Said beside the numbers while scores by the new judge are too few to compare with. Null: the judge is the same. */
export function judgeChangeText(change: JudgeChange): string | null {
  if (change.kind === 'same') return null;
  const at = change.since === null ? '' : ` at ${change.since.toISOString().slice(0, 16)}Z`;
  return `the judge changed from ${change.from} to ${change.to}${at}; scores before and after are not comparable`;
}

/** The judge with most scores; of equals, the one that began last. Null where no judge is known. */
function majorityJudge(reading: Reading | null): string | null {
  const [first] = Object.entries(judgesOf(reading))
    .filter(([, scores]) => scores.n > 0)
    .toSorted(
      ([a, left], [b, right]) => right.n - left.n || beganAt(right) - beganAt(left) || (a < b ? -1 : 1),
    );
  return first?.[0] ?? null;
}

/** A side whose source does not know its judges, or that one judge scored alone, stays as it is. */
function onlyBy(judge: string, reading: Reading | null): Reading | null {
  if (reading?.judges === undefined) return reading;
  const scores = reading.judges[judge];
  const isAlone = scores !== undefined && Object.keys(reading.judges).length === 1;
  if (isAlone) return reading;
  // Single outcomes, bounds and the distribution are of all judges together.
  const { outcomes: _o, distribution: _d, lower: _l, upper: _u, ...rest } = reading;
  if (scores === undefined) return { ...rest, n: 0, value: null, sd: null, judges: {} };
  return { ...rest, n: scores.n, value: scores.mean, sd: scores.sd, judges: { [judge]: scores } };
}

function summaryOf(reading: Reading | null): Summary {
  return { n: reading?.n ?? 0, mean: reading?.value ?? null, sd: reading?.sd ?? null };
}

function judgesOf(reading: Reading | null): Readonly<Record<string, JudgeScores>> {
  return reading?.judges ?? {};
}

function beganAt({ since }: JudgeScores): number {
  return since?.getTime() ?? 0;
}
