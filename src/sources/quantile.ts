import jstat from 'jstat';

const CONFIDENCE = 0.95;

/**
 * Ranks (1..n) of the order statistics that bound the quantile `p` (0 < p < 1) one-sidedly at 95 %, whatever the
 * distribution: how many of n samples lie below the true quantile is binomial (n, p) (Conover, Practical Nonparametric
 * Statistics, 3.2). Null where even the extreme one does not bound it.
 */
export function boundRanks(n: number, p: number): { lower: number | null; upper: number | null } {
  // The r-th value is at most the quantile when r or more of the samples lie below it.
  const lower = lastRank(n, (rank) => 1 - atMost(rank - 1, n, p) >= CONFIDENCE);
  // It is at least the quantile when fewer than r do.
  const tooLow = lastRank(n, (rank) => atMost(rank - 1, n, p) < CONFIDENCE);
  return { lower: lower === 0 ? null : lower, upper: tooLow === n ? null : tooLow + 1 };
}

const atMost = (successes: number, n: number, p: number) => jstat.binomial.cdf(successes, n, p);

/** The last rank for which `holds` is true, when it is true of all up to some rank and then no more; 0 for none. */
function lastRank(n: number, holds: (rank: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
