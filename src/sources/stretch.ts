import type { Interval } from './call.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Half open, in ms: `from` ≤ time < `to`. */
export interface Stretch {
  from: number;
  to: number;
}

/** How a time is put together: from whole hours and minutes that were counted before, and from single calls. */
export interface Pieces {
  /** Whole hours, cut at midnight UTC. */
  hours: Stretch[];
  minutes: Stretch[];
  calls: Stretch[];
}

/** What is left of the time without those that are left out, in order. */
export function without(time: Stretch, leftOut: readonly Stretch[]): Stretch[] {
  let rest = [time];
  for (const out of leftOut) {
    rest = rest.flatMap(({ from, to }) =>
      [
        { from, to: Math.min(to, out.from) },
        { from: Math.max(from, out.to), to },
      ].filter(isFilled),
    );
    if (rest.length === 0) break;
  }
  return rest.filter(isFilled);
}

/** Every minute that the time touches, whole. */
export function wholeMinutesAround({ from, to }: Stretch): Stretch {
  return { from: roundDown(from, MINUTE_MS), to: up(to, MINUTE_MS) };
}

/** Times up to two hours are put together from minutes alone, whose digests are sharper than those of hours. */
export function piecesOf(stretches: readonly Stretch[]): Pieces {
  const pieces: Pieces = { hours: [], minutes: [], calls: [] };
  for (const stretch of stretches) {
    const minutes = inner(stretch, MINUTE_MS);
    pieces.calls.push(...around(stretch, minutes));
    const hours = stretch.to - stretch.from > 2 * HOUR_MS ? inner(minutes, HOUR_MS) : null;
    if (hours === null || !isFilled(hours)) {
      if (isFilled(minutes)) pieces.minutes.push(minutes);
      continue;
    }
    pieces.minutes.push(...around(minutes, hours));
    for (let from = hours.from; from < hours.to; from = roundDown(from, DAY_MS) + DAY_MS) {
      pieces.hours.push({ from, to: Math.min(hours.to, roundDown(from, DAY_MS) + DAY_MS) });
    }
  }
  return pieces;
}

export function stretchOf({ from, to }: Interval): Stretch {
  return { from: from.getTime(), to: to.getTime() };
}

/** The stretches as one list without overlaps, in order. */
export function union(stretches: readonly Stretch[]): Stretch[] {
  const merged: Stretch[] = [];
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

export function isWithin(time: number, stretches: readonly Stretch[]): boolean {
  return stretches.some(({ from, to }) => from <= time && time < to);
}

/** The longest run of whole units within; empty or turned round when there is none. */
function inner({ from, to }: Stretch, unitMs: number): Stretch {
  return { from: up(from, unitMs), to: roundDown(to, unitMs) };
}

function around(outer: Stretch, hole: Stretch): Stretch[] {
  if (hole.from > hole.to) return [outer];
  return [
    { from: outer.from, to: hole.from },
    { from: hole.to, to: outer.to },
  ].filter(isFilled);
}

const isFilled = ({ from, to }: Stretch) => from < to;
/** The start of the unit of time that holds it. */
export function roundDown(time: number, unitMs: number): number {
  return Math.floor(time / unitMs) * unitMs;
}

const up = (time: number, unitMs: number) => Math.ceil(time / unitMs) * unitMs;
