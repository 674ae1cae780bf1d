import { setTimeout as sleep } from 'node:timers/promises';

/** Knows whether anything is still going on between the workspace and the bot. */
export interface Activity {
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves once nothing has been in flight for `quietMs`; throws after `timeoutMs`. */
  idle(options?: { quietMs?: number; timeoutMs?: number }): Promise<void>;
}

/** Counts what is in flight, so that tests wait for quiet instead of sleeping. */
export function createActivity(): Activity {
  let inFlight = 0;
  let lastChange = performance.now();
  const change = (step: 1 | -1): void => {
    inFlight += step;
    lastChange = performance.now();
  };
  return {
    track: async (work) => {
      change(1);
      try {
        return await work;
      } finally {
        change(-1);
      }
    },
    idle: async ({ quietMs = 60, timeoutMs = 15_000 } = {}) => {
      const deadline = performance.now() + timeoutMs;
      while (inFlight > 0 || performance.now() - lastChange < quietMs) {
        if (performance.now() > deadline)
          throw new Error(`the workspace is still busy: ${inFlight} in flight`);
        await sleep(5);
      }
    },
  };
}
