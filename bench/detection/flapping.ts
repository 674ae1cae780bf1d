import { judged, NOTHING_SEEN, verdictOf } from '../../src/detection/judgement.ts';
import { shipped } from '../../src/detection/shipped.ts';
import { nextSignal, type Signal } from '../../src/detection/signal.ts';
import type { Measurement } from '../measurement.ts';
import { atMost } from './bounded.ts';
import { type Chance, chanceFrom } from './chance.ts';

const SEED = 30;
const DAYS = 30;
const MINUTE_MS = 60_000;
const POLLS = DAYS * 24 * 60;
const STEPS = 200;
const SD = 2;
/** A level that hovers just below its threshold; the two are two to three standard deviations apart. */
const settings = shipped({
  threshold: 50,
  clear_threshold: 45,
  sev1: { action: 'notify', after_minutes: 0 },
  sev2: { action: 'notify', after_minutes: 0 },
});

/** One poll a minute with the settings that levels are shipped with, beside a bare comparison at the threshold. */
export function flapping(): Measurement[] {
  const chance = chanceFrom(SEED);
  const hovering = watch(Array.from({ length: POLLS }, () => 49 + SD * chance.normal()));
  const delays = Array.from({ length: STEPS }, () => stepDelay(chance));
  return [
    atMost({
      name: `flap: openings in ${DAYS} days of a level at 49 ± ${SD} against 50, beside a bare comparison`,
      floor: hovering.bareOpenings,
      value: hovering.openedAt.length,
      unit: 'openings',
      limit: 3,
    }),
    atMost({
      name: `flap: polls until a step from 40 to 60 opens, slowest of ${STEPS}, beside a bare comparison`,
      floor: 1,
      value: Math.max(...delays),
      unit: 'polls',
      limit: 3,
    }),
  ];
}

function stepDelay(chance: Chance): number {
  const before = Array.from({ length: 60 }, () => 40 + SD * chance.normal());
  const after = Array.from({ length: 10 }, () => 60 + SD * chance.normal());
  const { openedAt } = watch([...before, ...after]);
  return (openedAt[0] ?? Number.POSITIVE_INFINITY) - before.length + 1;
}

function watch(values: readonly number[]): { openedAt: number[]; bareOpenings: number } {
  const openedAt: number[] = [];
  let signal: Signal | null = null;
  let [wasPast, bareOpenings] = [false, 0];
  for (const [poll, value] of values.entries()) {
    const seen = { ...NOTHING_SEEN, value, n: 1, threshold: settings.threshold };
    const verdict = verdictOf('outage.latency', judged(seen, { isPast: (limit) => value > limit }, settings));
    const next = nextSignal(signal, verdict, { settings, now: new Date(poll * MINUTE_MS) });
    if (next.opened) openedAt.push(poll);
    if (value > settings.threshold && !wasPast) bareOpenings += 1;
    [signal, wasPast] = [next, value > settings.threshold];
  }
  return { openedAt, bareOpenings };
}
