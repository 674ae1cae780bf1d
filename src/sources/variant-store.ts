import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** What one combination of prompt and model did in a window; scores are 0..1. */
export interface VariantTotals {
  promptName: string | null;
  promptVersion: string | null;
  requestModel: string | null;
  responseModel: string | null;
  n: number;
  errors: number;
  formatted: number;
  formatPassed: number;
  scored: number;
  scoreSum: number;
  scoreSquares: number;
  /** Calls whose cost is known, and what they cost together. */
  priced: number;
  costUsd: number;
  firstAt: Date;
  lastAt: Date;
}

/** Every variant of a window, with calls that failed. */
export async function variantsIn(db: Db, window: CallWindow): Promise<VariantTotals[]> {
  return db
    .selectFrom('call')
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('at', '>=', window.from)
    .where('at', '<', window.to)
    .where('span_seen', '=', true)
    .groupBy(['prompt_name', 'prompt_version', 'request_model', 'response_model'])
    .select([
      'prompt_name as promptName',
      'prompt_version as promptVersion',
      'request_model as requestModel',
      'response_model as responseModel',
      sql<number>`count(*)`.as('n'),
      sql<number>`count(error)`.as('errors'),
      sql<number>`count(format_ok)`.as('formatted'),
      sql<number>`count(*) filter (where format_ok)`.as('formatPassed'),
      sql<number>`count(quality)`.as('scored'),
      sql<number>`coalesce(sum(quality), 0)`.as('scoreSum'),
      sql<number>`coalesce(sum(quality * quality), 0)`.as('scoreSquares'),
      sql<number>`count(cost_usd)`.as('priced'),
      sql<number>`coalesce(sum(cost_usd), 0)`.as('costUsd'),
      sql<Date>`min(at)`.as('firstAt'),
      sql<Date>`max(at)`.as('lastAt'),
    ])
    .execute();
}

/** How many users called in a window, and of all calls how many said who it was. */
export async function usersIn(db: Db, window: CallWindow): Promise<{ users: number; named: number }> {
  return db
    .selectFrom('call')
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('at', '>=', window.from)
    .where('at', '<', window.to)
    .where('span_seen', '=', true)
    .select([sql<number>`count(distinct user_id)`.as('users'), sql<number>`count(user_id)`.as('named')])
    .executeTakeFirstOrThrow();
}
