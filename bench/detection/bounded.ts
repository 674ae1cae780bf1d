import type { Measurement } from '../measurement.ts';

/**
 * A value that has a limit of its own, beside the figure that it is compared with: `target` is the limit as a multiple
 * of that figure.
 */
export function atMost(of: {
  name: string;
  floor: number;
  value: number;
  unit: string;
  limit: number;
}): Measurement {
  const { name, floor, value, unit, limit } = of;
  return {
    name,
    floor: digits(floor),
    value: digits(value),
    unit,
    ratio: digits(floor === 0 ? value : value / floor),
    target: digits(floor === 0 ? limit : limit / floor),
    met: value <= limit,
  };
}

/** A figure that must come out as published, within `tolerance`. */
export function asPublished(of: {
  name: string;
  floor: number;
  value: number;
  unit: string;
  tolerance: number;
}): Measurement {
  const { name, floor, value, unit, tolerance } = of;
  const ratio = digits(value / floor);
  return {
    name,
    floor,
    value: digits(value),
    unit,
    ratio,
    target: 1,
    met: Math.abs(value - floor) <= tolerance,
  };
}

const digits = (value: number) => Math.round(value * 1_000) / 1_000;
