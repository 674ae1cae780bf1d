import jstat from 'jstat';
import { createRandom, type Random } from '../random.ts';

/** What comparing two samples found: how large the difference is, and how likely one as large is by chance. */
export interface Compared {
  /** Name of the effect size as the literature has it. */
  effect: 'Kolmogorov–Smirnov D' | "Cramér's V" | 'Jensen–Shannon divergence';
  /** 0: the same; 1: nothing in common. */
  size: number;
  p: number;
}

/**
 * Two-sample Kolmogorov–Smirnov test with the asymptotic p-value, effective n corrected after Stephens (JASA 69, 1974).
 * With ties, which lengths have, the p-value is too large rather than too small. Null where a side is empty.
 */
export function compareNumbers(before: readonly number[], after: readonly number[]): Compared | null {
  if (before.length === 0 || after.length === 0) return null;
  const [a, b] = [before.toSorted((x, y) => x - y), after.toSorted((x, y) => x - y)];
  let [i, j, size] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && (a[i] as number) <= at) i += 1;
    while (j < b.length && (b[j] as number) <= at) j += 1;
    size = Math.max(size, Math.abs(i / a.length - j / b.length));
  }
  const root = Math.sqrt((a.length * b.length) / (a.length + b.length));
  return { effect: 'Kolmogorov–Smirnov D', size, p: kolmogorovTail((root + 0.12 + 0.11 / root) * size) };
}

/** P(K > x) = 2 Σ (−1)^(k−1) exp(−2k²x²); below 0.2 it is 1 to fifteen digits and the series does not settle. */
function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}

const LEAST_EXPECTED = 5;

/**
 * Pearson's chi-square test of homogeneity with Cramér's V. Categories that are expected fewer than 5 times on a side
 * count together. Null where fewer than two are left: there is nothing to compare.
 */
export function compareCategories(before: readonly string[], after: readonly string[]): Compared | null {
  const total = before.length + after.length;
  if (before.length === 0 || after.length === 0) return null;
  const rows = new Map<string, [number, number]>();
  const count = (name: string, side: 0 | 1) => {
    const row = rows.get(name) ?? [0, 0];
    row[side] += 1;
    rows.set(name, row);
  };
  for (const name of before) count(name, 0);
  for (const name of after) count(name, 1);
  const smaller = Math.min(before.length, after.length);
  const [common, rare] = partition(
    [...rows.values()],
    ([x, y]) => ((x + y) * smaller) / total >= LEAST_EXPECTED,
  );
  const together = rare.reduce<[number, number]>(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);
  const kept = together[0] + together[1] === 0 ? common : [...common, together];
  if (kept.length < 2) return null;
  const sides = [before.length, after.length] as const;
  let chiSquare = 0;
  for (const row of kept) {
    for (const side of [0, 1] as const) {
      const expected = ((row[0] + row[1]) * sides[side]) / total;
      chiSquare += (row[side] - expected) ** 2 / expected;
    }
  }
  const p = 1 - jstat.chisquare.cdf(chiSquare, kept.length - 1);
  return { effect: "Cramér's V", size: Math.sqrt(chiSquare / total), p };
}

function partition<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}

const PERMUTATIONS = 199;

/**
 * Jensen–Shannon divergence (base 2) of the summed counts of each side. Words of one text depend on one another, so its
 * p-value comes from shuffling whole texts between the sides, 199 times with a fixed seed: 0.005 is the least.
 */
export function compareCounts(
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): Compared | null {
  if (before.length === 0 || after.length === 0) return null;
  const all = [...before, ...after];
  const whole = summed(all);
  const divergenceOf = (first: readonly (readonly number[])[]) => {
    const side = summed(first);
    return divergence(
      side,
      whole.map((n, bucket) => n - (side[bucket] ?? 0)),
    );
  };
  const size = divergenceOf(before);
  const random = createRandom(7);
  let atLeast = 1;
  for (let run = 0; run < PERMUTATIONS; run += 1) {
    if (divergenceOf(drawn(all, before.length, random)) >= size) atLeast += 1;
  }
  return { effect: 'Jensen–Shannon divergence', size, p: atLeast / (PERMUTATIONS + 1) };
}

function summed(rows: readonly (readonly number[])[]): number[] {
  const sums: number[] = Array(rows[0]?.length ?? 0).fill(0);
  for (const row of rows) for (let i = 0; i < row.length; i += 1) sums[i] = (sums[i] ?? 0) + (row[i] ?? 0);
  return sums;
}

function divergence(a: readonly number[], b: readonly number[]): number {
  const [totalA, totalB] = [a.reduce((x, y) => x + y, 0), b.reduce((x, y) => x + y, 0)];
  if (totalA === 0 || totalB === 0) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) {
    const [p, q] = [(a[i] ?? 0) / totalA, (b[i] ?? 0) / totalB];
    const middle = (p + q) / 2;
    if (p > 0) sum += (p * Math.log2(p / middle)) / 2;
    if (q > 0) sum += (q * Math.log2(q / middle)) / 2;
  }
  return Math.max(0, sum);
}

/** The first `n` of a Fisher–Yates shuffle. */
function drawn<T>(items: readonly T[], n: number, random: Random): T[] {
  const copy = [...items];
  for (let i = 0; i < n; i += 1) {
    const other = i + random.below(copy.length - i);
    [copy[i], copy[other]] = [copy[other] as T, copy[i] as T];
  }
  return copy.slice(0, n);
}

/** p-values adjusted after Holm (Scand. J. Statist. 6, 1979): asked several questions, chance answers one of them. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = [...ps];
  let largest = 0;
  order.forEach(({ p, index }, rank) => {
    largest = Math.max(largest, Math.min(1, p * (ps.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}
