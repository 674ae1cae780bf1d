import { QUALITY_FORMAT } from '../detection/rules/quality-format.ts';
import { KEPT_RATIO } from '../detection/rules/quality-score.ts';
import type { ServingState } from './ledger.ts';

/** One serving state from one change to the next, with what calls scored meanwhile. */
export interface ServingInterval {
  state: ServingState;
  from: Date;
  to: Date;
  scored: { n: number; mean: number | null };
  format: { n: number; passed: number };
}

export const KNOWN_GOOD = { minGreenMs: 30 * 60_000, minScored: 100 } as const;

/**
 * Policy: the newest serving state that was green by every rule that has data in any of the intervals, for at
 * least `minGreenMs` before the onset and with at least `minScored` verdicts of each such rule. What serves
 * from the onset on is tainted, and no data is never green. `baselineMean` is null for a service without
 * scores. Null when none was.
 */
export function lastKnownGood(history: {
  intervals: readonly ServingInterval[];
  onset: Date;
  baselineMean: number | null;
  minGreenMs?: number;
  minScored?: number;
}): ServingInterval | null {
  const { intervals, onset, baselineMean } = history;
  const minGreenMs = history.minGreenMs ?? KNOWN_GOOD.minGreenMs;
  const minScored = history.minScored ?? KNOWN_GOOD.minScored;
  const isScored = baselineMean !== null;
  const isFormatted = intervals.some((one) => one.format.n > 0);
  if (!isScored && !isFormatted) return null;
  const green = intervals.filter(({ from, to, scored, format }) => {
    const until = Math.min(to.getTime(), onset.getTime());
    if (until - from.getTime() < minGreenMs) return false;
    const scoreOk =
      !isScored ||
      (scored.n >= minScored && scored.mean !== null && scored.mean >= KEPT_RATIO * baselineMean);
    const formatOk =
      !isFormatted || (format.n >= minScored && format.passed / format.n >= QUALITY_FORMAT.minShare);
    return scoreOk && formatOk;
  });
  return green.reduce<ServingInterval | null>(
    (best, one) => (best === null || one.from >= best.from ? one : best),
    null,
  );
}
