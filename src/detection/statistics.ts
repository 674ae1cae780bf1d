/** What is known of a sample: `sd` is the sample's (n − 1); null where n is too small to have one. */
export interface Summary {
  n: number;
  mean: number | null;
  sd: number | null;
}

/** A summary that has a mean. */
export interface KnownSummary extends Summary {
  mean: number;
}

export interface Bounds {
  lower: number;
  upper: number;
}

/** Quantile of the normal distribution for a one-sided 95 % bound. */
export const Z_ONE_SIDED_95 = 1.6448536269514722;
/** For a one-sided 99.9 % bound. */
export const Z_ONE_SIDED_999 = 3.090232306167813;

/**
 * Wilson's score bounds of a share, each a one-sided bound at z (E. B. Wilson, 1927; as in Brown, Cai and
 * DasGupta, 2001). Good for small n and shares near 0 or 1, where the normal interval is not. n must be above
 * 0.
 */
export function wilsonBounds({
  passed,
  n,
  z = Z_ONE_SIDED_95,
}: {
  passed: number;
  n: number;
  z?: number;
}): Bounds {
  const share = passed / n;
  const scale = 1 / (1 + (z * z) / n);
  const centre = scale * (share + (z * z) / (2 * n));
  const half = scale * z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { lower: Math.max(0, centre - half), upper: Math.min(1, centre + half) };
}

/** Bounds of a mean, each one-sided at z, from the sample's own spread; meant for n ≥ 30. */
export function meanBounds({ n, mean, sd }: KnownSummary, z: number = Z_ONE_SIDED_95): Bounds {
  const half = (z * (sd ?? 0)) / Math.sqrt(n);
  return { lower: mean - half, upper: mean + half };
}

/**
 * Bounds, each one-sided at z, of `window mean − keptRatio · baseline mean`, both means uncertain and
 * independent. An upper bound below 0 says with 95 % confidence that the window kept less than `keptRatio` of
 * its baseline. For a baseline clearly above 0 this decides as Fieller's bound of the ratio does (E. C.
 * Fieller, 1954), without its poles.
 */
export function keptBounds(
  samples: { window: KnownSummary; baseline: KnownSummary; keptRatio: number },
  z: number = Z_ONE_SIDED_95,
): Bounds {
  const { window, baseline, keptRatio } = samples;
  const difference = window.mean - keptRatio * baseline.mean;
  const variance = (window.sd ?? 0) ** 2 / window.n + (keptRatio ** 2 * (baseline.sd ?? 0) ** 2) / baseline.n;
  const half = z * Math.sqrt(variance);
  return { lower: difference - half, upper: difference + half };
}

/** A value between its one-sided bounds. */
export interface BoundedValue extends Bounds {
  value: number;
}

/**
 * Bounds of `of − ratio · against`, two independent estimates, from the bounds of each (MOVER: Zou and Donner, 2008).
 * For two shares with Wilson's bounds and ratio 1 it is Newcombe's hybrid score interval (1998, method 10).
 */
export function differenceBounds({
  of,
  against,
  ratio = 1,
}: {
  of: BoundedValue;
  against: BoundedValue;
  ratio?: number;
}): Bounds {
  const difference = of.value - ratio * against.value;
  const down = Math.hypot(of.value - of.lower, ratio * (against.upper - against.value));
  const up = Math.hypot(of.upper - of.value, ratio * (against.value - against.lower));
  return { lower: difference - down, upper: difference + up };
}

/**
 * The greatest sample standard deviation that n scores between 0 and 1 with this mean can have (Bhatia and Davis,
 * 2000): what a source that does not know the spread leaves possible.
 */
export function greatestSpread({ n, mean }: { n: number; mean: number }): number {
  const widest = Math.max(0, mean * (1 - mean));
  return Math.sqrt(n > 1 ? (widest * n) / (n - 1) : widest);
}

/** True when the sample is not empty. */
export function isKnown(summary: Summary): summary is KnownSummary {
  return summary.n > 0 && summary.mean !== null;
}
