import { QUALITY_FORMAT } from './rules/quality-format.ts';
import { KEPT_RATIO, QUALITY_SCORE } from './rules/quality-score.ts';
import { isKnown, meanBounds, type Summary, wilsonBounds } from './statistics.ts';

/** Verdicts of calls that the new state served, and the baseline from before the incident. */
export type Recovering =
  | { rule: 'quality.score'; baselineMean: number; window: Summary }
  | { rule: 'quality.format'; n: number; passed: number };

export interface Recovery {
  state: 'proving' | 'recovered' | 'failing';
  n: number;
  /** Samples that settle it, at the most. */
  needed: number;
  value: number | null;
  lower: number | null;
  upper: number | null;
}

const FORMAT_MIN_N = 200;

/** A metric has recovered by the rule that tripped: see the policy of each. */
export function recovered(seen: Recovering): Recovery {
  return seen.rule === 'quality.score' ? scoreRecovery(seen) : formatRecovery(seen);
}

/** Policy: recovered when at least 100 scores have a mean of 85 % of the baseline or more, else failing. */
function scoreRecovery({ window, baselineMean }: Recovering & { rule: 'quality.score' }): Recovery {
  const needed = QUALITY_SCORE.minWindowN;
  if (!isKnown(window)) return { state: 'proving', n: 0, needed, value: null, lower: null, upper: null };
  const seen = { n: window.n, needed, value: window.mean, ...meanBounds(window) };
  if (window.n < needed) return { ...seen, state: 'proving' };
  return { ...seen, state: window.mean >= KEPT_RATIO * baselineMean ? 'recovered' : 'failing' };
}

/**
 * Policy: recovered when at least 200 verdicts pass 95 %. Below that, failing once Wilson's bound is below 95
 * % too, or at the rule's own 1,000 verdicts; between, 200 verdicts of a sound service fall short too often
 * to call it.
 */
function formatRecovery({ n, passed }: Recovering & { rule: 'quality.format' }): Recovery {
  if (n === 0) return { state: 'proving', n, needed: FORMAT_MIN_N, value: null, lower: null, upper: null };
  const bounds = wilsonBounds({ passed, n });
  const value = passed / n;
  const seen = { n, value, ...bounds };
  if (n < FORMAT_MIN_N) return { ...seen, needed: FORMAT_MIN_N, state: 'proving' };
  if (value >= QUALITY_FORMAT.minShare) return { ...seen, needed: FORMAT_MIN_N, state: 'recovered' };
  const isFailing = bounds.upper < QUALITY_FORMAT.minShare || n >= QUALITY_FORMAT.calls;
  return { ...seen, needed: QUALITY_FORMAT.calls, state: isFailing ? 'failing' : 'proving' };
}
