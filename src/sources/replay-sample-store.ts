import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow } from './call-statistics-store.ts';

/** Which calls failed: by a verdict (score, format), an error, what their text shows, or as an event of a rule. */
export type FailedBy =
  | { by: 'verdict'; passScore: number }
  | { by: 'error' | 'refusal' | 'hallucination' }
  | { by: 'length'; minChars: number }
  | { by: 'event'; rule: string };

const HALLUCINATING = sql<boolean>`(f.hedged is true or f.contradicts is true or f.unsupported is true)`;

/** Ids of the newest failing calls of the window. */
export async function failingCalls(db: Db, of: CallWindow & FailedBy & { limit: number }): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select call.id from call left join call_feature f on f.call_id = call.id
    where ${inWindow(of)} and ${failedBy(of)} order by call.at desc, call.id desc limit ${of.limit}`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

function failedBy(failed: FailedBy) {
  switch (failed.by) {
    case 'verdict':
      return sql`(call.format_ok is false or call.quality < ${failed.passScore})`;
    case 'error':
      return sql`call.error is not null`;
    case 'refusal':
      return sql`f.refused is true`;
    case 'hallucination':
      return HALLUCINATING;
    case 'length':
      return sql`call.error is null and call.output_chars < ${failed.minChars}`;
    case 'event':
      return sql`exists (select 1 from safety_event e where e.call_id = call.id and e.rule = ${failed.rule})`;
  }
}

/**
 * Ids of calls with both texts and nothing against them: no error, no event, no bad verdict, no refusal. Those with a good
 * verdict come first; within that, a sample that is even over the window and repeatable.
 */
export async function soundCalls(
  db: Db,
  of: CallWindow & { passScore: number; minChars: number | null; limit: number },
): Promise<number[]> {
  const { passScore, minChars } = of;
  const { rows } = await sql<{ id: number }>`
    select call.id from call join call_content t on t.call_id = call.id
      left join call_feature f on f.call_id = call.id
    where ${inWindow(of)} and t.input is not null and t.output is not null and call.error is null
      and call.format_ok is not false and (call.quality is null or call.quality >= ${passScore})
      and f.refused is not true and not coalesce(${HALLUCINATING}, false)
      and (${minChars}::integer is null or call.output_chars >= ${minChars}::integer)
      and not exists (select 1 from safety_event e where e.call_id = call.id)
    order by (call.quality is null and call.format_ok is null), md5(call.trace_id || call.span_id)
    limit ${of.limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** The median length of the outputs of the window; null without any. */
export async function medianOutputChars(db: Db, of: CallWindow): Promise<number | null> {
  const { rows } = await sql<{ median: number | null }>`
    select percentile_cont(0.5) within group (order by call.output_chars)::float8 as median
    from call where ${inWindow(of)} and call.error is null`.execute(db);
  return rows[0]?.median ?? null;
}

/** A recorded call with all that a replay of it is made of and compared with. Raw text: redact before it leaves. */
export interface ReplayableCall {
  id: number;
  promptName: string | null;
  parameters: Record<string, number | string>;
  costUsd: number | null;
  error: string | null;
  quality: number | null;
  formatOk: boolean | null;
  outputChars: number | null;
  refused: boolean | null;
  hedged: boolean | null;
  contradicts: boolean | null;
  unsupported: boolean | null;
  safetyRules: string[];
  /** Null: it was never sent, or is gone. */
  input: string | null;
}

export async function replayableCalls(db: Db, ids: readonly number[]): Promise<ReplayableCall[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<ReplayableCall>`
    select call.id, call.prompt_name as "promptName", call.parameters, call.cost_usd as "costUsd", call.error,
      call.quality, call.format_ok as "formatOk", call.output_chars as "outputChars", f.refused, f.hedged,
      f.contradicts, f.unsupported, t.input,
      array(select distinct e.rule from safety_event e where e.call_id = call.id order by e.rule) as "safetyRules"
    from call left join call_content t on t.call_id = call.id left join call_feature f on f.call_id = call.id
    where call.id in (${sql.join([...ids])}) order by call.id`.execute(db);
  return rows;
}

const inWindow = ({ service, environment, from, to }: CallWindow) => sql`call.service = ${service}
  and call.environment = ${environment} and call.at >= ${from} and call.at < ${to} and call.span_seen`;
