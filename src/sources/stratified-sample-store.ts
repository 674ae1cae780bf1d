import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** How a call ended, the first that applies. */
export type Stratum = 'error' | 'format' | 'refusal' | 'low score' | 'short' | 'good' | 'not judged';

export interface StratifiedCall {
  callId: number;
  at: Date;
  stratum: Stratum;
  /** Calls of the window in this stratum. */
  total: number;
  /** Chance that a call of the stratum is in the sample. */
  probability: number;
}

/**
 * At most `perStratum` calls of every stratum that occurs, each drawn evenly over the window and repeatably, so that rare
 * failures are seen and shares can still be told: weigh a call by 1 / probability.
 */
export async function stratifiedCalls(
  db: Db,
  of: CallWindow & { passScore: number; minChars: number | null; perStratum: number },
): Promise<StratifiedCall[]> {
  const { service, environment, from, to, passScore, minChars, perStratum } = of;
  const { rows } = await sql<StratifiedCall>`
    with judged as (
      select call.id, at, md5(trace_id || span_id) as place, case
        when error is not null then 'error'
        when format_ok is false then 'format'
        when f.refused is true then 'refusal'
        when quality < ${passScore}::float8 then 'low score'
        when output_chars < ${minChars}::float8 then 'short'
        when format_ok is true or quality is not null then 'good'
        else 'not judged' end as stratum
      from call left join call_feature f on f.call_id = call.id
      where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to} and span_seen),
    placed as (
      select *, row_number() over (partition by stratum order by place, id) as rank,
        count(*) over (partition by stratum) as total
      from judged)
    select id as "callId", at, stratum, total, least(1, ${perStratum}::float8 / total) as probability
    from placed where rank <= ${perStratum} order by stratum, place, id`.execute(db);
  return rows;
}

/** What made the calls of a window: each prompt version and checksum with its newest call. */
export interface ServedVariant {
  promptName: string | null;
  promptVersion: string | null;
  promptSha256: string | null;
  requestModel: string | null;
  responseModel: string | null;
  calls: number;
  newestCallId: number;
}

export async function servedVariants(
  db: Db,
  { service, environment, from, to }: CallWindow,
): Promise<ServedVariant[]> {
  const { rows } = await sql<ServedVariant>`
    select prompt_name as "promptName", prompt_version as "promptVersion", prompt_sha256 as "promptSha256",
      request_model as "requestModel", response_model as "responseModel", count(*) as calls,
      (array_agg(id order by at desc, id desc))[1] as "newestCallId"
    from call where service = ${service} and environment = ${environment} and at >= ${from} and at < ${to} and span_seen
    group by 1, 2, 3, 4, 5 order by calls desc, 1, 2, 3, 4, 5 limit 20`.execute(db);
  return rows;
}
