import type { Centroids } from './metric-source.ts';

/** A digest has at most so many centroids; samples of no more different values are kept as they are. */
const COMPRESSION = 100;

/** A digest of the values. Equal values are one centroid; NaN and infinities are left out. */
export function centroidsOf(values: readonly number[]): Centroids {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
  const distinct: [number, number][] = [];
  for (const value of sorted) {
    const last = distinct.at(-1);
    if (last?.[0] === value) last[1] += 1;
    else distinct.push([value, 1]);
  }
  return compressed(distinct);
}

/**
 * One digest of all: the merging t-digest with the scale function k1 (T. Dunning and O. Ertl, Computing Extremely
 * Accurate Quantiles Using t-Digests, 2019). The same digests in the same order always give the same result, which
 * npm's tdigest does not: it compresses in a random order, and a backtest must repeat.
 */
export function mergeCentroids(digests: readonly Centroids[]): Centroids {
  let layer = digests.filter((digest) => digest.length > 0);
  while (layer.length > 1) {
    const next: Centroids[] = [];
    for (let at = 0; at < layer.length; at += 2) {
      const right = layer[at + 1];
      const left = layer[at] as Centroids;
      next.push(right === undefined ? left : compressed(mergeSorted(left, right)));
    }
    layer = next;
  }
  return layer[0] ?? [];
}

/** How many values the digest holds. */
export function sizeOf(digest: Centroids): number {
  let total = 0;
  for (const [, count] of digest) total += count;
  return total;
}

/** The `rank`-th smallest value (1..n); exact where the digest holds single or equal values. */
export function valueAtRank(digest: Centroids, rank: number): number {
  let seen = 0;
  for (const [mean, count] of digest) {
    seen += count;
    if (seen >= rank) return mean;
  }
  return digest.at(-1)?.[0] ?? Number.NaN;
}

function mergeSorted(left: Centroids, right: Centroids): [number, number][] {
  const merged: [number, number][] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    const isLeft = b === undefined || (a !== undefined && a[0] <= b[0]);
    const [mean, count] = (isLeft ? a : b) as readonly [number, number];
    if (isLeft) l += 1;
    else r += 1;
    const last = merged.at(-1);
    if (last?.[0] === mean) last[1] += count;
    else merged.push([mean, count]);
  }
  return merged;
}

function compressed(sorted: [number, number][]): Centroids {
  if (sorted.length <= COMPRESSION) return sorted;
  const total = sizeOf(sorted);
  const result: [number, number][] = [];
  let before = 0;
  let limit = total * shareOneStepOn(0);
  let current: [number, number] | undefined;
  for (const [mean, count] of sorted) {
    if (current !== undefined && before + current[1] + count <= limit) {
      current[1] += count;
      current[0] += (count * (mean - current[0])) / current[1];
      continue;
    }
    if (current !== undefined) {
      before += current[1];
      limit = total * shareOneStepOn(before / total);
    }
    current = [mean, count];
    result.push(current);
  }
  return result;
}

/** The rank, as a share, that one centroid from `share` on may reach: wide in the middle, narrow at the ends. */
function shareOneStepOn(share: number): number {
  const angle = Math.asin(Math.min(1, 2 * share - 1)) + (2 * Math.PI) / COMPRESSION;
  return angle >= Math.PI / 2 ? 1 : (Math.sin(angle) + 1) / 2;
}
