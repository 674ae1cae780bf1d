import type { Centroids } from '../../sources/metric-source.ts';
import { runLengths, type StepShares } from './arl.ts';
import { momentsOf, possibleMeans, tiltedTo } from './baseline.ts';

/**
 * A chart for outcomes from 0 to 1 that sees their mean fall: S ← max(0, S + round((reference − outcome)·scale)),
 * alarm when S > limit. Run and designed on the same whole steps, so its run lengths are exact.
 */
export interface Design {
  /** The mean as the baseline has it. */
  baseline: number;
  /** The outcome at which the chart neither rises nor falls: halfway to the mean that it is meant to find. */
  reference: number;
  scale: number;
  limit: number;
  /** Calls between false alarms, averaged over what the baseline leaves open about its own mean. */
  arl: number;
}

/** How finely a standard deviation is divided into steps, and where that ends. */
const STEPS_PER_SD = 5;
const MAX_SCALE = 200;
const MAX_LIMIT = 1_500;
/** For what the prior misses: without it the promise, checked share by share, is broken by up to a third. */
const MARGIN = 1.5;
/** A possible mean that adds so little to the wanted rate of false alarms is left out from there on. */
const NEGLIGIBLE = 1e-4;

interface Wanted {
  reference: number;
  /** Calls between false alarms, at least. */
  arl0: number;
}

const solved = new Map<string, Design | null>();
const MOST_SOLVED = 2_000;

/** The chart for scores (those of the baseline, the prior among them); null when no limit keeps the promise. */
export function solve(scores: Centroids, wanted: Wanted): Design | null {
  const key = JSON.stringify([scores, wanted]);
  const known = solved.get(key);
  if (known !== undefined) return known;
  const design = designAround(scores, wanted);
  if (solved.size >= MOST_SOLVED) solved.clear();
  solved.set(key, design);
  return design;
}

/** One bad outcome alone is never an alarm: the limit is not below the highest step. */
function designAround(scores: Centroids, { reference, arl0 }: Wanted): Design | null {
  const { mean, variance } = momentsOf(scores);
  const fine = Math.min(MAX_SCALE, STEPS_PER_SD / Math.sqrt(variance));
  // The step of a perfect outcome, the most frequent one, is a whole number before it is rounded.
  const scale = Math.max(1, Math.round((1 - reference) * fine)) / (1 - reference);
  const highestStep = Math.round(reference * scale);
  let charts = possibleMeans(scores).map((possible) => ({
    weight: possible.weight,
    next: runLengths(stepShares(tiltedTo(scores, possible.mean), { reference, scale })),
  }));
  for (let limit = 0; limit <= MAX_LIMIT; limit += 1) {
    const rates = charts.map(({ weight, next }) => weight / next());
    const rate = rates.reduce((sum, one) => sum + one, 0);
    if (limit >= highestStep && rate * arl0 * MARGIN <= 1) {
      return { baseline: mean, reference, scale, limit, arl: 1 / rate };
    }
    charts = charts.filter((_, i) => (rates[i] as number) * arl0 > NEGLIGIBLE);
  }
  return null;
}

function stepShares(
  shares: readonly (readonly [score: number, share: number])[],
  { reference, scale }: { reference: number; scale: number },
): StepShares {
  const steps = new Map<number, number>();
  for (const [score, share] of shares) {
    const step = Math.round((reference - score) * scale);
    steps.set(step, (steps.get(step) ?? 0) + share);
  }
  return steps;
}
