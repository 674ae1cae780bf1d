import type { RuleSettings } from '../../config/rules.ts';
import type { Reading } from '../../sources/metric-source.ts';
import type { Seen } from '../judgement.ts';

/** The settings that every comparison needs. */
export type Limits = Pick<RuleSettings, 'threshold' | 'clear_threshold' | 'min_samples' | 'min_baseline'>;

export interface Compared {
  window: Reading | null;
  baseline: Reading | null;
}

/** A reading that has a value. */
export type Known = Reading & { value: number };

/** Nothing in the window is `no-data`; too little on either side is `insufficient`. Null: enough. */
export function lackOf({ window, baseline }: Compared, limits: Limits): 'no-data' | 'insufficient' | null {
  const known = knownOf(window);
  if (known === null) return 'no-data';
  const base = knownOf(baseline);
  if (base === null || base.n < limits.min_baseline || known.n < limits.min_samples) return 'insufficient';
  return null;
}

/** Without enough of a baseline there is nothing to compare with, however large the window. */
export function isBaselineShort({ baseline }: Compared, limits: Limits): boolean {
  const base = knownOf(baseline);
  return base === null || base.n < limits.min_baseline;
}

export function knownOf(reading: Reading | null): Known | null {
  if (reading === null || reading.value === null || reading.n <= 0) return null;
  return { ...reading, value: reading.value };
}

export function countsOf({ window, baseline }: Compared): Pick<Seen, 'n' | 'baselineN'> {
  return { n: window?.n ?? 0, baselineN: baseline?.n ?? 0 };
}
