/** Due times, windows and expiries follow this clock; leases follow the database's, signatures the machine's. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that tests and drills move forward. */
export interface MovableClock extends Clock {
  /** Sets how far the clock is ahead of the machine's, in milliseconds. */
  set(offsetMs: number): void;
}

export function movableClock(offsetMs = 0): MovableClock {
  let offset = offsetMs;
  return {
    now: () => new Date(Date.now() + offset),
    set: (ms) => {
      offset = ms;
    },
  };
}
