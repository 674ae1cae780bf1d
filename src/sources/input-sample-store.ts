import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** What one request looked like; the text is raw. */
export interface SampledInput {
  chars: number | null;
  tokens: number | null;
  endpoint: string | null;
  /** Called in the day before the window; null where the call names no user. */
  isKnownUser: boolean | null;
  /** Its beginning; null when it was pruned. */
  text: string | null;
}

const KNOWN_FOR_HOURS = 24;
const TEXT_CHARS = 1_000;

/** Requests of a window, a sample that is even over it and repeatable. */
export async function sampleInputs(db: Db, window: CallWindow & { limit: number }): Promise<SampledInput[]> {
  const { service, environment, from, to, limit } = window;
  const knownFrom = new Date(from.getTime() - KNOWN_FOR_HOURS * 3_600_000);
  const { rows } = await sql<SampledInput>`
    with sampled as (
      select id, user_id, endpoint, input_tokens from call
      where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to} and span_seen
      order by md5(trace_id || span_id) limit ${limit}),
    known as (
      select distinct user_id from call
      where service = ${service} and environment = ${environment} and at >= ${knownFrom} and at < ${from}
        and user_id in (select user_id from sampled))
    select char_length(t.input) as chars, sampled.input_tokens as tokens, sampled.endpoint,
      case when sampled.user_id is not null then known.user_id is not null end as "isKnownUser",
      left(t.input, ${TEXT_CHARS}) as text
    from sampled left join known on known.user_id = sampled.user_id
      left join call_content t on t.call_id = sampled.id
    order by sampled.id`.execute(db);
  return rows;
}
