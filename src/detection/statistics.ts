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

/** True when the sample is not empty. */
export function isKnown(summary: Summary): summary is KnownSummary {
  return summary.n > 0 && summary.mean !== null;
}
