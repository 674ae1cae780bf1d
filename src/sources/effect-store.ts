import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow, ServiceName } from './call-statistics-store.ts';

/** Calls that were looked at, and those of them that show what was asked for. */
export interface Shown {
  n: number;
  hits: number;
}

/** Outputs of a window that hold the text, in any case where `anyCase`. Calls without a kept output are left out. */
export async function outputsWith(
  db: Db,
  window: CallWindow & { text: string; anyCase: boolean },
): Promise<Shown> {
  const { text, anyCase } = window;
  const holds = anyCase
    ? sql<boolean>`position(lower(${text}) in lower(output)) > 0`
    : sql<boolean>`position(${text} in output) > 0`;
  return answered(db, window)
    .innerJoin('call_content', 'call_content.call_id', 'call.id')
    .where('output', 'is not', null)
    .select([sql<number>`count(*)`.as('n'), sql<number>`count(*) filter (where ${holds})`.as('hits')])
    .executeTakeFirstOrThrow();
}

/** Calls of a window that took more output tokens than `cap`. */
export async function callsAboveCap(db: Db, window: CallWindow & { cap: number }): Promise<Shown> {
  return answered(db, window)
    .where('output_tokens', 'is not', null)
    .select([
      sql<number>`count(*)`.as('n'),
      sql<number>`count(*) filter (where output_tokens > ${window.cap})`.as('hits'),
    ])
    .executeTakeFirstOrThrow();
}

/**
 * All calls of a window that were answered, and how many of them are by "user NAME", "session NAME", "endpoint NAME"; of
 * "each user" and "each session" those of the one with most.
 */
export async function callsBy(
  db: Db,
  window: CallWindow & { subject: string },
): Promise<Shown & { costUsd: number; priced: number }> {
  const [, each] = /^each (user|session)$/.exec(window.subject) ?? [];
  const subject = each === undefined ? window.subject : await busiest(db, { ...window, each });
  const [, kind = '', name = ''] = /^(user|session|endpoint) ([\s\S]+)$/.exec(subject ?? '') ?? [];
  const column = kind === 'user' ? sql`user_id` : kind === 'session' ? sql`session_id` : sql`endpoint`;
  const isTheirs = kind === '' ? sql<boolean>`false` : sql<boolean>`${column} = ${name}`;
  return answered(db, window)
    .select([
      sql<number>`count(*)`.as('n'),
      sql<number>`count(*) filter (where ${isTheirs})`.as('hits'),
      sql<number>`coalesce(sum(cost_usd) filter (where ${isTheirs}), 0)`.as('costUsd'),
      sql<number>`count(cost_usd) filter (where ${isTheirs})`.as('priced'),
    ])
    .executeTakeFirstOrThrow();
}

/** Answered calls of "user NAME" or the like in a window, and in how many different minutes they were. */
export async function activeMinutes(
  db: Db,
  { subject, ...window }: CallWindow & { subject: string },
): Promise<{ calls: number; minutes: number }> {
  const [, kind, name = ''] = /^(user|session|endpoint) ([\s\S]+)$/.exec(subject) ?? [];
  if (kind === undefined) return { calls: 0, minutes: 0 };
  return answered(db, window)
    .where(kind === 'user' ? 'user_id' : kind === 'session' ? 'session_id' : 'endpoint', '=', name)
    .select([
      sql<number>`count(*)`.as('calls'),
      sql<number>`count(distinct date_trunc('minute', at))`.as('minutes'),
    ])
    .executeTakeFirstOrThrow();
}

/** "user NAME" of the user with most answered calls, or the session; null where nobody is named. */
async function busiest(db: Db, { each, ...window }: CallWindow & { each: string }): Promise<string | null> {
  const column = each === 'user' ? 'user_id' : 'session_id';
  const most = await answered(db, window)
    .where(column, 'is not', null)
    .groupBy(column)
    .select([column, sql<number>`count(*)`.as('n')])
    .orderBy('n', 'desc')
    .limit(1)
    .executeTakeFirst();
  return most === undefined ? null : `${each} ${Object.values(most)[0]}`;
}

/** What a cap on output tokens would have taken of a window: calls above it, and tokens beyond it of all. */
export async function tokensAboveCap(
  db: Db,
  window: CallWindow & { cap: number },
): Promise<Shown & { tokens: number; beyond: number }> {
  const { cap } = window;
  return answered(db, window)
    .where('output_tokens', 'is not', null)
    .select([
      sql<number>`count(*)`.as('n'),
      sql<number>`count(*) filter (where output_tokens > ${cap})`.as('hits'),
      sql<number>`coalesce(sum(output_tokens), 0)`.as('tokens'),
      sql<number>`coalesce(sum(greatest(output_tokens - ${cap}, 0)), 0)`.as('beyond'),
    ])
    .executeTakeFirstOrThrow();
}

/** Calls since a time that name a query type as their endpoint or prompt, and when the last one was. */
export async function callsOfType(
  db: Db,
  of: ServiceName & { from: Date; to: Date; type: string },
): Promise<{ n: number; lastAt: Date | null }> {
  return answered(db, of)
    .where((eb) => eb.or([eb('endpoint', '=', of.type), eb('prompt_name', '=', of.type)]))
    .select([sql<number>`count(*)`.as('n'), sql<Date | null>`max(at)`.as('lastAt')])
    .executeTakeFirstOrThrow();
}

function answered(db: Db, window: CallWindow) {
  return db
    .selectFrom('call')
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('at', '>=', window.from)
    .where('at', '<', window.to)
    .where('span_seen', '=', true)
    .where('error', 'is', null);
}
