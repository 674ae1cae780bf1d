import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { Call } from './call.ts';
import { keyOfCall, recordsOf } from './call-batch.ts';
import type { CallWindow } from './call-statistics-store.ts';
import { BAD, type Bar } from './failure-store.ts';

/** Keeps the relevance scores of new calls, which are in `idOf` by their key. */
export async function saveRetrievals(
  tx: Tx,
  calls: readonly Call[],
  idOf: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = calls.flatMap(({ retrieval, ...call }) => {
    const id = idOf.get(keyOfCall(call));
    return id === undefined || retrieval == null ? [] : [{ id, ...retrieval }];
  });
  if (rows.length === 0) return;
  await sql`insert into call_retrieval (call_id, chunks, least, mean, best)
    select id, chunks, least, mean, best from json_to_recordset(${recordsOf(rows)}::json)
      as t (id bigint, chunks integer, least double precision, mean double precision, best double precision)
    on conflict do nothing`.execute(tx);
}

/** Calls that carry relevance scores, and the mean of their best chunk. */
export interface Relevance {
  n: number;
  best: number | null;
}

/** The relevance of what was retrieved for bad calls of a window, and for the others. */
export async function relevanceIn(
  db: Db,
  of: CallWindow & Bar,
): Promise<{ failing: Relevance; sound: Relevance }> {
  const { rows } = await sql<Relevance & { isBad: boolean }>`
    select ${BAD(of)} as "isBad", count(*) as n, avg(r.best) as best
    from call join call_retrieval r on r.call_id = call.id left join call_feature f on f.call_id = call.id
    where call.service = ${of.service} and call.environment = ${of.environment}
      and call.at >= ${of.from} and call.at < ${of.to} and call.span_seen
    group by 1`.execute(db);
  const side = (isBad: boolean): Relevance => {
    const found = rows.find((row) => row.isBad === isBad);
    return { n: found?.n ?? 0, best: found?.best ?? null };
  };
  return { failing: side(true), sound: side(false) };
}
