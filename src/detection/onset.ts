/** Verdicts of one minute: how many, and the sum of their values. */
export interface MinuteBucket {
  minute: Date;
  n: number;
  sum: number;
}

export interface Onset {
  /** Start of the first minute after the drop, or the time of the change that explains it. */
  at: Date;
  /** Mean value before and after. */
  before: number;
  after: number;
  /** Gain in log likelihood over "nothing changed". */
  gain: number;
}

/**
 * The largest gain that chance reaches once in 50 to 100 tries without any drop: simulated for normal scores
 * and pass/fail of .80 to .99, 20 to 1,500 minutes, 1 to 30 verdicts each (99 % quantiles 3 to 9, median
 * 6.1).
 */
const MIN_GAIN = 7;
/** Fewer verdicts than this on one side say nothing about a mean. */
const MIN_SIDE_N = 20;
/** Keeps the gain finite when the values on both sides are constant. */
const SPREAD_FLOOR = 1e-9;

/** Half of the 95 % quantile of chi-squared with one degree: splits this close to the best are no less likely. */
const AS_LIKELY = 1.92;
const MINUTE_MS = 60_000;

/**
 * Policy: the drop began at the split of the minutes with the greatest gain in likelihood for two means, the later one
 * lower, over one mean; spread is estimated from the minutes themselves, weighted by their verdicts. When something
 * that served is known to have changed at a time that is as likely (`changes`), it began then. Null when the gain could
 * be chance. `minutes` are oldest first; minutes without verdicts are left out.
 */
export function estimateOnset(minutes: readonly MinuteBucket[], changes: readonly Date[] = []): Onset | null {
  const splits = splitsOf(minutes.filter((bucket) => bucket.n > 0));
  const best = greatest(splits);
  if (best === null) return null;
  const known = changes.flatMap((change): Onset[] => {
    const split = splits.find(({ at }) => at.getTime() + MINUTE_MS > change.getTime());
    return split === undefined || split.gain < best.gain - AS_LIKELY ? [] : [{ ...split, at: change }];
  });
  return greatest(known) ?? best;
}

function greatest(onsets: readonly Onset[]): Onset | null {
  return onsets.reduce<Onset | null>(
    (best, one) => (best === null || one.gain > best.gain ? one : best),
    null,
  );
}

/** Every split of the minutes into an earlier and a lower later part whose gain is more than chance. */
function splitsOf(used: readonly MinuteBucket[]): Onset[] {
  const total = used.reduce((sum, bucket) => sum + bucket.sum, 0);
  const n = used.reduce((sum, bucket) => sum + bucket.n, 0);
  const squares = used.reduce((sum, bucket) => sum + bucket.sum ** 2 / bucket.n, 0);
  const floor = SPREAD_FLOOR * n;
  const restWithout = squares - total ** 2 / n + floor;
  const splits: Onset[] = [];
  let earlierN = 0;
  let earlierSum = 0;
  for (const bucket of used) {
    const laterN = n - earlierN;
    const before = earlierSum / earlierN;
    const after = (total - earlierSum) / laterN;
    if (earlierN >= MIN_SIDE_N && laterN >= MIN_SIDE_N && after < before) {
      const explained = earlierN * before ** 2 + laterN * after ** 2;
      const rest = Math.max(squares - explained, 0) + floor;
      const gain = (used.length / 2) * Math.log(restWithout / rest);
      if (gain >= MIN_GAIN) splits.push({ at: bucket.minute, before, after, gain });
    }
    earlierN += bucket.n;
    earlierSum += bucket.sum;
  }
  return splits;
}
