/** One benchmark: our value beside the floor that it is measured against in the same run. */
export interface Measurement {
  name: string;
  floor: number;
  value: number;
  unit: string;
  /** How many times the floor it costs; 1 is the floor itself. */
  ratio: number;
  target: number;
  met: boolean;
}

type Compared = Omit<Measurement, 'ratio' | 'met'>;

/** `costs` are times or other things to keep low: ratio is value over floor. */
export function compareCosts(of: Compared): Measurement {
  const ratio = of.value / of.floor;
  return { ...round(of), ratio: hundredths(ratio), target: of.target, met: ratio <= of.target };
}

/** Rates are to be kept high: ratio is floor over value. */
export function compareRates(of: Compared): Measurement {
  const ratio = of.floor / of.value;
  return { ...round(of), ratio: hundredths(ratio), target: of.target, met: ratio <= of.target };
}

function round<T extends { floor: number; value: number }>(of: T): T {
  return { ...of, floor: hundredths(of.floor), value: hundredths(of.value) };
}

const hundredths = (value: number) => Math.round(value * 100) / 100;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
