const MINUTE_MS = 60_000;
/** So many times the wanted calls may be in the window. */
const MOST_TOO_MANY = 1.25;
const AIM = 1.1;
const LONGEST_STEP = 8;

export const FIRST_WINDOW_MS = 60 * MINUTE_MS;

/**
 * Prometheus has no calls, only their number in a time. "The newest 1,000" is therefore the shortest time, in whole
 * minutes, that held as many, found from the last answer. Null when the window that was asked is good enough.
 */
export function nextWindowMs(asked: {
  windowMs: number;
  n: number;
  newest: number;
  longestMs: number;
}): number | null {
  const { windowMs, n, newest, longestMs } = asked;
  if (n >= newest && n <= newest * MOST_TOO_MANY) return null;
  const factor = n === 0 ? LONGEST_STEP : Math.min(LONGEST_STEP, (newest * AIM) / n);
  const minutes = Math.ceil((windowMs * factor) / MINUTE_MS);
  const next = Math.min(longestMs, Math.max(1, minutes) * MINUTE_MS);
  return next === windowMs ? null : next;
}
