import { flapping } from './detection/flapping.ts';
import { modelSwap } from './detection/model-swap.ts';
import { tokenTrace } from './detection/token-trace.ts';
import type { Measurement } from './measurement.ts';

/** What detection sees and how soon, on recorded incidents and simulated noise; every draw is seeded. */
export async function detection(): Promise<Measurement[]> {
  return [...modelSwap(), ...tokenTrace(), ...flapping()];
}
