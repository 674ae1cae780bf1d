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

/** All calls of a window that were answered, and how many of them are by "user NAME", "session NAME", "endpoint NAME". */
export async function callsBy(db: Db, window: CallWindow & { subject: string }): Promise<Shown> {
  const [, kind = '', name = ''] = /^(user|session|endpoint) ([\s\S]+)$/.exec(window.subject) ?? [];
  const column = kind === 'user' ? sql`user_id` : kind === 'session' ? sql`session_id` : sql`endpoint`;
  const isTheirs = kind === '' ? sql<boolean>`false` : sql<boolean>`${column} = ${name}`;
  return answered(db, window)
    .select([sql<number>`count(*)`.as('n'), sql<number>`count(*) filter (where ${isTheirs})`.as('hits')])
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
