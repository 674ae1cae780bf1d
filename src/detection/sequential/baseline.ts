import jstat from 'jstat';
import type { Centroids } from '../../sources/metric-source.ts';

/** What a baseline leaves open about its mean: one value for each part of the posterior, with its weight. */
export interface PossibleMean {
  mean: number;
  weight: number;
}

/** Jeffreys' prior of a share: half a call that scored 0 and half a call that scored 1. */
const PRIOR = 0.5;

/** Finer where the mean is low: there false alarms come from. The mean at the middle of each part stands for it. */
const PARTS: readonly number[] = [0, 0.0005, 0.002, 0.01, 0.04, 0.12, 0.3, 0.6, 1];

/**
 * Scores in bins of a quarter of a standard deviation or finer, counts in three digits and never for more calls than
 * there were: a baseline that grew by a few calls is the same, and need not be solved again.
 */
export function roundedCounts(scores: Centroids): Centroids {
  const { mean, variance } = momentsOf(scores);
  const spread = Math.min(1, Math.max(1 / 512, Math.sqrt(Math.max(variance, 0))));
  const width = mean === 0 || mean === 1 ? 1 : 2 ** Math.floor(Math.log2(spread / 4));
  const counts = new Map<number, number>();
  for (const [score, count] of scores) {
    const bin = Math.round(score / width) * width;
    counts.set(bin, (counts.get(bin) ?? 0) + count);
  }
  return [...counts].map(([bin, count]) => [bin, threeDigits(count)] as const).sort((a, b) => a[0] - b[0]);
}

function threeDigits(count: number): number {
  if (count <= 0) return 0;
  const digit = 10 ** (Math.floor(Math.log10(count)) - 2);
  return Math.floor(count / digit) * digit;
}

/** Scores 0..1 and how many calls had them, the prior among them: no constant baseline is certain. */
export function withPrior(scores: Centroids): [score: number, count: number][] {
  const counts = new Map<number, number>([
    [0, PRIOR],
    [1, PRIOR],
  ]);
  for (const [score, count] of scores) {
    const within = Math.min(1, Math.max(0, score));
    counts.set(within, (counts.get(within) ?? 0) + count);
  }
  return [...counts].sort((a, b) => a[0] - b[0]);
}

export function momentsOf(scores: Centroids): { n: number; mean: number; variance: number } {
  const n = scores.reduce((total, [, count]) => total + count, 0);
  const mean = scores.reduce((total, [score, count]) => total + score * count, 0) / n;
  const variance = scores.reduce((total, [score, count]) => total + (score - mean) ** 2 * count, 0) / n;
  return { n, mean, variance };
}

/** Quantile of the mean's posterior: a beta, exact for 0 or 1; else of as many 0-or-1 calls as tell as much. */
export function meanQuantile(scores: Centroids, share: number): number {
  const { n, mean, variance } = momentsOf(scores);
  const asShares = (n * mean * (1 - mean)) / variance;
  return jstat.beta.inv(share, mean * asShares, (1 - mean) * asShares);
}

export function possibleMeans(scores: Centroids): PossibleMean[] {
  return PARTS.slice(1).map((to, i) => {
    const from = PARTS[i] ?? 0;
    return { mean: meanQuantile(scores, (from + to) / 2), weight: to - from };
  });
}

/** The same scores, each weighed by e^(tilt · score) so that their mean is `mean`; shares that add up to 1. */
export function tiltedTo(scores: Centroids, mean: number): [score: number, share: number][] {
  let [low, high] = [-1, 1];
  while (momentsOf(tilted(scores, low)).mean > mean) low *= 2;
  while (momentsOf(tilted(scores, high)).mean < mean) high *= 2;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (momentsOf(tilted(scores, middle)).mean < mean) low = middle;
    else high = middle;
  }
  return tilted(scores, (low + high) / 2);
}

function tilted(scores: Centroids, tilt: number): [number, number][] {
  // Relative to the end that weighs most, so that nothing overflows.
  const end = tilt > 0 ? 1 : 0;
  const weighed = scores.map(([score, count]): [number, number] => [
    score,
    count * Math.exp(tilt * (score - end)),
  ]);
  const total = weighed.reduce((sum, [, weight]) => sum + weight, 0);
  return weighed.map(([score, weight]) => [score, weight / total]);
}

const BINS = 40;

/**
 * Scores where only their mean and spread are known: those of the beta with both, in bins. Without a spread, or with
 * the greatest that there is, all are 0 or 1.
 */
export function scoresLike({ n, mean, sd }: { n: number; mean: number; sd: number | null }): Centroids {
  const greatest = mean * (1 - mean);
  const variance = sd === null ? greatest : Math.max(sd * sd, LEAST_VARIANCE);
  if (variance >= NEARLY * greatest) {
    return [
      [0, n * (1 - mean)],
      [1, n * mean],
    ];
  }
  const size = greatest / variance - 1;
  const below = (score: number) => jstat.beta.cdf(score, mean * size, (1 - mean) * size);
  return Array.from({ length: BINS }, (_, i): [number, number] => {
    const [from, to] = [i / BINS, (i + 1) / BINS];
    return [(from + to) / 2, n * (below(to) - below(from))];
  });
}

const LEAST_VARIANCE = 1e-4;
const NEARLY = 0.95;
