import { sql } from 'kysely';
import type { Db } from './database.ts';

export interface Spending {
  /** What the budget is for, and whose. */
  key: string;
  /** As `budgetDay` names it, or FOR_GOOD. */
  day: string;
  /** Above 0, in the budget's own unit. */
  amount: number;
  /** What may be spent in that day, this amount included. */
  limit: number;
}

/** The day that a budget counts for, in UTC: "2026-03-01". */
export function budgetDay(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** In place of a day, for a budget that no new day renews; it is never forgotten. */
export const FOR_GOOD = 'for-good';

/** Spends and says true, or spends nothing and says false. One statement, so that replicas together stay within it. */
export async function spend(db: Db, { key, day, amount, limit }: Spending): Promise<boolean> {
  if (!(amount > 0)) throw new Error(`a budget is spent by amounts above 0, not ${amount}`);
  const result = await sql`
    insert into budget (key, day, used)
    select ${key}, ${day}, ${amount}::float8 where ${amount}::float8 <= ${limit}::float8
    on conflict (key, day) do update set used = budget.used + excluded.used
      where budget.used + excluded.used <= ${limit}::float8`.execute(db);
  return Number(result.numAffectedRows ?? 0) > 0;
}

export async function spentOf(db: Db, { key, day }: Pick<Spending, 'key' | 'day'>): Promise<number> {
  const row = await db
    .selectFrom('budget')
    .select('used')
    .where('key', '=', key)
    .where('day', '=', day)
    .executeTakeFirst();
  return row?.used ?? 0;
}

/** Forgets the days before the one of `before`. */
export async function pruneBudgets(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('budget').where('day', '<', budgetDay(before)).execute();
}
