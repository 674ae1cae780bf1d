const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** Doubles from half a second to a minute, with up to a quarter of jitter so that replicas do not march in step. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const plain = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempt - 1));
  return Math.round(plain * (1 - random() / 4));
}
