import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** What makes a call a bad one. `events`: rules of safety; `answers`: a broken format or a score below `passScore`. */
export type BadCheck =
  | { kind: 'events'; rules: readonly string[] }
  | { kind: 'score' | 'answers'; passScore: number }
  | { kind: 'format' | 'refused' | 'hallucination' | 'error' };

export interface ExposedUser {
  userId: string;
  calls: number;
  firstAt: Date;
  lastAt: Date;
}

export interface Exposed {
  /** Bad calls, with and without a user. */
  calls: number;
  users: number;
  /** Bad calls that name no user. */
  anonymous: number;
}

type Window = CallWindow & { check: BadCheck };

/** How many calls of a window were bad, and how many users they reached. */
export async function countExposed(db: Db, window: Window): Promise<Exposed> {
  const { rows } = await sql<Exposed>`
    select count(*)::int as calls, count(distinct user_id)::int as users,
      (count(*) filter (where user_id is null))::int as anonymous
    from (${badCalls(window)}) as bad`.execute(db);
  return rows[0] ?? { calls: 0, users: 0, anonymous: 0 };
}

/** The users of a window's bad calls, those with most of them first. */
export async function exposedUsers(
  db: Db,
  window: Window & { limit: number; offset: number },
): Promise<ExposedUser[]> {
  const { rows } = await sql<ExposedUser>`
    select user_id as "userId", count(*)::int as calls, min(at) as "firstAt", max(at) as "lastAt"
    from (${badCalls(window)}) as bad where user_id is not null
    group by user_id order by calls desc, user_id
    limit ${window.limit} offset ${window.offset}`.execute(db);
  return rows;
}

function badCalls({ service, environment, from, to, check }: Window): RawBuilder<unknown> {
  if (check.kind === 'events') {
    return sql`select distinct on (call_id) call_id as id, user_id, at from safety_event
      where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to}
        and rule in (${sql.join(check.rules)})`;
  }
  return sql`select call.id, user_id, at from call left join call_feature f on f.call_id = call.id
    where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to}
      and span_seen and ${isBad(check)}`;
}

function isBad(check: Exclude<BadCheck, { kind: 'events' }>): RawBuilder<unknown> {
  switch (check.kind) {
    case 'score':
      return sql`coalesce(quality < ${check.passScore}::float8, false)`;
    case 'answers':
      return sql`(format_ok is false or coalesce(quality < ${check.passScore}::float8, false))`;
    case 'format':
      return sql`format_ok is false`;
    case 'refused':
      return sql`f.refused is true`;
    case 'hallucination':
      return sql`(f.contradicts is true or f.unsupported is true)`;
    case 'error':
      return sql`error is not null`;
  }
}

/** The newest calls of a window that safety rules caught, with the kinds that they found. */
export async function newestEvents(
  db: Db,
  { service, environment, from, to, rules, limit }: CallWindow & { rules: readonly string[]; limit: number },
): Promise<{ callId: number; found: string }[]> {
  return db
    .selectFrom('safety_event')
    .select(['call_id as callId', 'detail as found'])
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('at', '>=', from)
    .where('at', '<', to)
    .where('rule', 'in', [...rules])
    .orderBy('at', 'desc')
    .orderBy('call_id', 'desc')
    .limit(limit)
    .execute();
}
