import {
  type BoundedValue,
  type Bounds,
  differenceBounds,
  meanBounds,
  wilsonBounds,
  Z_ONE_SIDED_95,
  Z_ONE_SIDED_999,
} from '../detection/statistics.ts';
import type { Shift } from './plan.ts';

/** What was seen of one arm: its calls, and what was said of them. Scores are 0..1. */
export interface ArmTotals {
  n: number;
  errors: number;
  formatted: number;
  formatPassed: number;
  scored: number;
  scoreSum: number;
  scoreSquares: number;
}

export interface Arms {
  fresh: ArmTotals;
  old: ArmTotals;
}

export const METRICS = ['format', 'score', 'answered'] as const;

/** One metric of both arms; more is better in each. */
export interface Comparison {
  metric: (typeof METRICS)[number];
  fresh: { value: number; n: number };
  old: { value: number; n: number };
}

export type GateVerdict = 'waiting' | 'passed' | 'failed' | 'undecided';

/** Below this many a spread says nothing. */
const MIN_VERDICTS = 30;
/** So few are enough for what is unmistakable. */
const MIN_UNMISTAKABLE = 20;
/** A gate that could not decide looks again at so many times as many calls: looking all the time finds chance. */
const LOOK_AGAIN_FACTOR = 1.5;

/**
 * Policy: a gate compares what both arms did over the same time: format, score, and calls that were answered. It passes when with
 * 95 % confidence, one-sided, the new arm is worse in none of them by more than the margin; it fails when with 95 % confidence
 * it is worse by more than that in one. It looks when each arm has the least calls, and again at half as many more; before
 * that only at 99.9 %. What is undecided at its deadline is for people.
 */
export function judgeGate(seen: {
  arms: Arms;
  gate: Shift['gate'];
  /** Calls of the smaller arm at its last look; 0: none yet. */
  lookedAt: number;
  isLate: boolean;
}): { verdict: GateVerdict; lookedAt: number } {
  const { arms, gate, lookedAt, isLate } = seen;
  const n = smallerArm(arms);
  const waiting = { verdict: isLate ? 'undecided' : 'waiting', lookedAt } as const;
  const isDue = n >= Math.max(gate.minCalls, lookedAt * LOOK_AGAIN_FACTOR) || (isLate && n > lookedAt);
  if (!hasEnough(arms, gate)) {
    return isWorse(arms, { margin: gate.margin, z: Z_ONE_SIDED_999, least: MIN_UNMISTAKABLE })
      ? { verdict: 'failed', lookedAt }
      : waiting;
  }
  if (!isDue) return waiting;
  const least = MIN_VERDICTS;
  if (isWorse(arms, { margin: gate.margin, z: Z_ONE_SIDED_95, least }))
    return { verdict: 'failed', lookedAt: n };
  if (isNotWorse(arms, gate.margin)) return { verdict: 'passed', lookedAt: n };
  return { verdict: isLate ? 'undecided' : 'waiting', lookedAt: n };
}

export const smallerArm = ({ fresh, old }: Arms) => Math.min(fresh.n, old.n);

/** Enough calls in each arm, and of each metric that has verdicts at all enough of those. */
function hasEnough(arms: Arms, { minCalls }: Shift['gate']): boolean {
  if (smallerArm(arms) < minCalls) return false;
  return comparisonsOf(arms).every(({ fresh, old }) => Math.min(fresh.n, old.n) >= MIN_VERDICTS);
}

function isWorse(arms: Arms, by: { margin: number; z: number; least: number }): boolean {
  return comparisonsOf(arms)
    .filter(({ fresh, old }) => Math.min(fresh.n, old.n) >= by.least)
    .some(({ metric }) => differenceOf(arms, metric, by.z).upper < -by.margin);
}

function isNotWorse(arms: Arms, margin: number): boolean {
  return comparisonsOf(arms).every(
    ({ metric }) => differenceOf(arms, metric, Z_ONE_SIDED_95).lower > -margin,
  );
}

/** The metrics that say something: calls always, verdicts where both arms together have enough of them. */
export function comparisonsOf({ fresh, old }: Arms): Comparison[] {
  return METRICS.flatMap((metric): Comparison[] => {
    const [of, against] = [sampleOf(fresh, metric), sampleOf(old, metric)];
    const isSaid = metric === 'answered' || of.n + against.n >= MIN_VERDICTS;
    return isSaid ? [{ metric, fresh: of, old: against }] : [];
  });
}

function sampleOf(arm: ArmTotals, metric: Comparison['metric']): { value: number; n: number } {
  const [good, n] =
    metric === 'format'
      ? [arm.formatPassed, arm.formatted]
      : metric === 'score'
        ? [arm.scoreSum, arm.scored]
        : [arm.n - arm.errors, arm.n];
  return { value: n === 0 ? 0 : good / n, n };
}

/** Bounds of new − old, each one-sided at z; without calls of an arm nothing is known. */
export function differenceOf({ fresh, old }: Arms, metric: Comparison['metric'], z: number): Bounds {
  if (sampleOf(fresh, metric).n === 0 || sampleOf(old, metric).n === 0) return { lower: -1, upper: 1 };
  return differenceBounds({ of: boundedOf(fresh, metric, z), against: boundedOf(old, metric, z) });
}

function boundedOf(arm: ArmTotals, metric: Comparison['metric'], z: number): BoundedValue {
  const { value, n } = sampleOf(arm, metric);
  if (metric !== 'score') return { value, ...wilsonBounds({ passed: Math.round(value * n), n, z }) };
  const variance = n < 2 ? 0.25 : Math.max(0, (arm.scoreSquares - n * value ** 2) / (n - 1));
  return { value, ...meanBounds({ n, mean: value, sd: Math.sqrt(variance) }, z) };
}

const NAMES: Record<Comparison['metric'], string> = {
  format: 'format',
  score: 'score',
  answered: 'answered',
};

const hasErrors = ({ fresh, old }: Arms) => fresh.errors + old.errors > 0;

/** "new arm format 97.1 % (n = 140) against 88.0 % (n = 420)"; that all were answered goes without saying. */
export function describeArms(arms: Arms): string {
  const all = comparisonsOf(arms);
  const told = all.filter(({ metric }) => metric !== 'answered' || all.length === 1 || hasErrors(arms));
  const parts = told.map(({ metric, fresh, old }) => {
    const shown = ({ value, n }: { value: number; n: number }) =>
      n === 0
        ? 'none'
        : `${metric === 'score' ? value.toFixed(2) : `${(value * 100).toFixed(1)} %`} (n = ${n})`;
    return `${NAMES[metric]} ${shown(fresh)} against ${shown(old)}`;
  });
  return `new arm ${parts.join('; ')}`;
}
