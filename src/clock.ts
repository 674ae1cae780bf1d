/** Due times, windows and expiries follow this clock; leases follow the database's, signatures the machine's. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that tests and drills move forward. `advance` returns the new offset in milliseconds. */
export interface MovableClock extends Clock {
  advance(ms: number): number;
}

export function movableClock(offsetMs = 0): MovableClock {
  let offset = offsetMs;
  return {
    now: () => new Date(Date.now() + offset),
    advance: (ms) => {
      offset += ms;
      return offset;
    },
  };
}
