import type { Db } from '../db/database.ts';
import { lastFirings } from '../detection/evaluation-store.ts';
import type { RuleId } from '../detection/rule.ts';
import { verdictTotals } from '../sources/call-statistics-store.ts';
import type { ServingInterval } from './known-good.ts';
import { keyOf, type ServingState } from './ledger.ts';
import { rowsOf, stateAt } from './ledger-store.ts';

/** A service that changes more often is looked at over its newest changes only. */
const MAX_INTERVALS = 50;

/**
 * What served between the changes of the ledger, oldest first, from `since` up to `onset`, with when a rule last fired
 * in each and the verdicts of its calls since then. Adjacent rows that leave everything that `matters` as it was are one
 * interval. `unheard`: rules whose firing does not count, for nobody trusts them yet.
 */
export async function servingIntervals(
  db: Db,
  of: {
    service: string;
    environment: string;
    since: Date;
    onset: Date;
    matters?: (component: string) => boolean;
    unheard?: readonly RuleId[];
  },
): Promise<ServingInterval[]> {
  const { service, environment, matters = () => true, unheard = [] } = of;
  const about = { service, environment };
  const rows = (await rowsOf(db, { ...of, until: of.onset })).filter(({ component }) => matters(component));
  const dates = [...new Set([of.since.getTime(), ...rows.map((row) => row.at.getTime())])].sort(
    (a, b) => a - b,
  );
  const stretches: { state: ServingState; from: Date; to: Date }[] = [];
  for (const date of dates.slice(-MAX_INTERVALS)) {
    const from = new Date(date);
    const state = only(await stateAt(db, { ...about, at: from }), matters);
    const last = stretches.at(-1);
    if (last !== undefined) last.to = from;
    if (last !== undefined && sameServing(last.state, state)) last.to = of.onset;
    else stretches.push({ state, from, to: of.onset });
  }
  const served = stretches.filter((one) => Object.keys(one.state).length > 0);
  const fired = await lastFirings(db, { ...about, stretches: served, without: unheard });
  const intervals: ServingInterval[] = [];
  for (const [index, one] of served.entries()) {
    const firedAt = fired[index] ?? null;
    const totals = await verdictTotals(db, { ...about, from: firedAt ?? one.from, to: one.to });
    intervals.push({ ...one, firedAt, ...totals });
  }
  return intervals;
}

function only(state: ServingState, matters: (component: string) => boolean): ServingState {
  return Object.fromEntries(Object.entries(state).filter(([component]) => matters(component)));
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
