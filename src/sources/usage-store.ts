import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** One call by what it took, from whom and for what. */
export interface UsedCall {
  user: string | null;
  /** The session, else the trace: what belongs together. */
  thread: string;
  tokens: number;
  /** The first of its last user message; null where no text is kept. */
  input: string | null;
}

/** Texts are dear to read; so many calls tell enough. */
const MOST_CALLS = 2_000;
const INPUT_CHARS = 2_000;

/** Calls of a window, a sample that is even and repeatable where there are more than 2,000, and how many there are. */
export async function usedCalls(db: Db, of: CallWindow): Promise<{ calls: number; sample: UsedCall[] }> {
  const within = sql`call.service = ${of.service} and call.environment = ${of.environment}
    and call.at >= ${of.from} and call.at < ${of.to} and call.span_seen`;
  const counted = await sql<{ n: number }>`select count(*) as n from call where ${within}`.execute(db);
  const { rows } = await sql<UsedCall>`
    select call.user_id as user, coalesce(call.session_id, call.trace_id) as thread,
      coalesce(call.input_tokens, 0) + coalesce(call.output_tokens, 0) as tokens,
      left(t.input, ${INPUT_CHARS}) as input
    from call left join call_content t on t.call_id = call.id
    where ${within} order by md5(coalesce(call.session_id, call.trace_id)), call.id limit ${MOST_CALLS}`.execute(
    db,
  );
  return { calls: counted.rows[0]?.n ?? 0, sample: rows };
}

/** What leaked or was flagged in a window, by rule, when the last of it was seen, and whom it reached. */
export interface SafetyToll {
  n: number;
  lastAt: Date | null;
  users: number;
  /** Events whose call names no user. */
  unnamed: number;
  rules: string[];
}

export async function safetyToll(db: Db, of: CallWindow): Promise<SafetyToll> {
  const { rows } = await sql<Omit<SafetyToll, 'rules'> & { rules: string[] | null }>`
    select count(*) as n, max(at) as "lastAt", count(distinct user_id) as users,
      count(*) filter (where user_id is null) as unnamed, array_agg(distinct rule) as rules
    from safety_event where service = ${of.service} and environment = ${of.environment}
      and at >= ${of.from} and at < ${of.to}`.execute(db);
  const [toll] = rows;
  if (toll === undefined) return { n: 0, lastAt: null, users: 0, unnamed: 0, rules: [] };
  return { ...toll, rules: toll.rules ?? [] };
}

/** A quantile (0..1) of the output tokens of answered calls; null where none says them. */
export async function outputTokensQuantile(
  db: Db,
  { quantile, ...of }: CallWindow & { quantile: number },
): Promise<number | null> {
  const { rows } = await sql<{ tokens: number | null }>`
    select percentile_cont(${quantile}::float8) within group (order by output_tokens)::float8 as tokens
    from call where service = ${of.service} and environment = ${of.environment}
      and at >= ${of.from} and at < ${of.to} and span_seen and error is null`.execute(db);
  return rows[0]?.tokens ?? null;
}
