import type { Db } from '../db/database.ts';
import { verdictTotals } from '../sources/call-statistics-store.ts';
import type { ServingInterval } from './known-good.ts';
import { keyOf, type ServingState } from './ledger.ts';
import { rowsOf, stateAt } from './ledger-store.ts';

/** A service that changes more often is looked at over its newest changes only. */
const MAX_INTERVALS = 50;

/**
 * What served between the changes of the ledger, oldest first, from `since` up to `onset`, with the verdicts
 * of the calls of each. Adjacent rows that leave everything as it was are one interval.
 */
export async function servingIntervals(
  db: Db,
  of: { service: string; environment: string; since: Date; onset: Date },
): Promise<ServingInterval[]> {
  const rows = await rowsOf(db, { ...of, until: of.onset });
  const dates = [...new Set([of.since.getTime(), ...rows.map((row) => row.at.getTime())])].sort(
    (a, b) => a - b,
  );
  const stretches: { state: ServingState; from: Date; to: Date }[] = [];
  for (const date of dates.slice(-MAX_INTERVALS)) {
    const from = new Date(date);
    const state = await stateAt(db, { ...of, at: from });
    const last = stretches.at(-1);
    if (last !== undefined) last.to = from;
    if (last !== undefined && sameServing(last.state, state)) last.to = of.onset;
    else stretches.push({ state, from, to: of.onset });
  }
  const served = stretches.filter((one) => Object.keys(one.state).length > 0);
  const intervals: ServingInterval[] = [];
  for (const one of served) {
    const { service, environment } = of;
    const totals = await verdictTotals(db, { service, environment, from: one.from, to: one.to });
    intervals.push({ ...one, ...totals });
  }
  return intervals;
}

/** Equal by component, whatever the order of the keys. */
export function sameServing(a: ServingState, b: ServingState): boolean {
  const text = (state: ServingState) =>
    JSON.stringify(
      Object.keys(state)
        .sort()
        .map((component) => [component, keyOf(state[component] ?? {})]),
    );
  return text(a) === text(b);
}
