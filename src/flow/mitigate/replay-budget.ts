import { spend } from '../../db/budget-store.ts';
import type { Db } from '../../db/database.ts';
import type { ReplayBudget } from '../../mitigation/replay-through.ts';

interface Limits {
  max_calls: number;
  max_cost_usd: number;
}

/** What a call costs is not known of every service; the smallest amount still notices a budget that is spent. */
const LEAST_USD = 1e-9;

/** What replays may spend in that day (or FOR_GOOD), as rows say it: restarts and replicas share it. */
export function storedReplayBudget(
  db: Db,
  { kind, of, day }: { kind: 'rehearsal' | 'immunity'; of: string; day: string },
  { max_calls: maxCalls, max_cost_usd: maxCostUsd }: Limits,
): ReplayBudget {
  const calls = { key: `${kind}-calls:${of}`, day };
  const costs = { key: `${kind}-usd:${of}`, day };
  return {
    async take(expectedUsd) {
      if (!(await spend(db, { ...calls, amount: 1, limit: maxCalls }))) return false;
      return spend(db, { ...costs, amount: Math.max(expectedUsd ?? 0, LEAST_USD), limit: maxCostUsd });
    },
    async settle(costUsd, expectedUsd) {
      const beyondUsd = costUsd - (expectedUsd ?? 0);
      if (beyondUsd > 0) await spend(db, { ...costs, amount: beyondUsd, limit: Number.MAX_VALUE });
    },
  };
}

/** The same for one run of one process. */
export function replayBudgetOfRun({ max_calls: maxCalls, max_cost_usd: maxCostUsd }: Limits): ReplayBudget {
  let calls = 0;
  let costUsd = 0;
  return {
    async take(expectedUsd) {
      const wantedUsd = expectedUsd ?? 0;
      if (calls + 1 > maxCalls || costUsd + wantedUsd > maxCostUsd) return false;
      calls += 1;
      costUsd += wantedUsd;
      return true;
    },
    async settle(actualUsd, expectedUsd) {
      costUsd += Math.max(0, actualUsd - (expectedUsd ?? 0));
    },
  };
}
