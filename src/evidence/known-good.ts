import { QUALITY_FORMAT } from '../detection/rules/quality-format.ts';
import { KEPT_RATIO } from '../detection/rules/quality-score.ts';
import type { ServingState } from './ledger.ts';

/** One serving state from one change to the next, with what calls scored meanwhile, or since a rule last fired. */
export interface ServingInterval {
  state: ServingState;
  from: Date;
  to: Date;
  /** When a rule of the service last fired in it. */
  firedAt: Date | null;
  scored: { n: number; mean: number | null };
  format: { n: number; passed: number };
}

export const KNOWN_GOOD = { minGreenMs: 30 * 60_000, minScored: 100 } as const;

export interface ServingHistory {
  intervals: readonly ServingInterval[];
  onset: Date;
  /** Null for a service without scores. */
  baselineMean: number | null;
  minGreenMs?: number;
  minScored?: number;
}

/** The newest green state; null when none was. */
export function lastKnownGood(history: ServingHistory): ServingInterval | null {
  return greenStates(history)[0] ?? null;
}

/**
 * Policy: a serving state is green when no rule of the service fired for at least `minGreenMs` up to the end of its time
 * or the onset, and meanwhile the score and the format, each where any of the intervals has verdicts of it, were good
 * with at least `minScored` of them. What serves from the onset on is tainted, and no data is never green. Newest first.
 */
export function greenStates(history: ServingHistory): ServingInterval[] {
  const { intervals, onset, baselineMean } = history;
  const minGreenMs = history.minGreenMs ?? KNOWN_GOOD.minGreenMs;
  const minScored = history.minScored ?? KNOWN_GOOD.minScored;
  const isScored = baselineMean !== null;
  const isFormatted = intervals.some((one) => one.format.n > 0);
  if (!isScored && !isFormatted) return [];
  const green = intervals.filter(({ from, to, firedAt, scored, format }) => {
    const until = Math.min(to.getTime(), onset.getTime());
    if (until - (firedAt ?? from).getTime() < minGreenMs) return false;
    const scoreOk =
      !isScored ||
      (scored.n >= minScored && scored.mean !== null && scored.mean >= KEPT_RATIO * baselineMean);
    const formatOk =
      !isFormatted || (format.n >= minScored && format.passed / format.n >= QUALITY_FORMAT.minShare);
    return scoreOk && formatOk;
  });
  return green.toSorted((a, b) => b.from.getTime() - a.from.getTime());
}
