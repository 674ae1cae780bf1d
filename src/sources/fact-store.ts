import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { recordsOf } from './call-batch.ts';
import type { CallFacts } from './call-facts.ts';
import type { ServiceName } from './call-statistics-store.ts';
import type { Measure } from './metric-source.ts';
import type { Stretch } from './stretch.ts';

/** A measure that few calls have is looked for in so many of the newest ones, not in seven days of them. */
const LOOKED_THROUGH = 20_000;

const COLUMNS = sql`call.at, call.span_seen as "isSpan", call.error is not null as failed,
  call.latency_ms as "latencyMs", call.input_tokens as "inputTokens", call.output_tokens as "outputTokens",
  call.output_chars as "outputChars", f.input_chars as "inputChars", call.cost_usd as "costUsd",
  call.user_id as "userId", call.endpoint, call.quality, j.evaluator as judge, s.value as similarity,
  call.format_ok as "formatOk", f.refused, f.hedged, f.contradicts, f.unsupported`;

/** Words are most of what a call weighs on the way: they are read only where they count. */
const columns = (withWords: boolean) => sql`${COLUMNS}, ${withWords ? sql`f.words` : sql`null`} as words`;

const JOINS = sql`left join call_feature f on f.call_id = call.id
  left join call_evaluation j on j.call_id = call.id and j.name = 'quality'
  left join call_evaluation s on s.call_id = call.id and s.name = 'semantic_similarity'`;

type Time = ServiceName & Stretch;

/** What every call within the service's stretch counts for, in the order of their times. */
export async function factsIn(
  db: Db,
  times: readonly Time[],
  { withWords }: { withWords: boolean },
): Promise<(CallFacts & ServiceName)[]> {
  if (times.length === 0) return [];
  const found = await sql<CallFacts & ServiceName>`
    select t.service, t.environment, ${columns(withWords)}
    from ${rowsOf(times)} join call on call.service = t.service and call.environment = t.environment
      and call.at >= t."from" and call.at < t."to"
    ${JOINS} order by call.at, call.id`.execute(db);
  return found.rows;
}

/** How many calls lie within each, in order. */
export async function countCalls(db: Db, times: readonly Time[]): Promise<number[]> {
  if (times.length === 0) return [];
  const { rows } = await sql<{ n: number }>`
    select (select count(*) from call where call.service = t.service and call.environment = t.environment
      and call.at >= t."from" and call.at < t."to") as n from ${rowsOf(times)} order by t.place`.execute(db);
  return rows.map((row) => row.n);
}

function rowsOf(times: readonly Time[]) {
  const rows = times.map(({ from, to, service, environment }, place) => ({
    ...{ service, environment, place },
    ...{ from: new Date(from), to: new Date(to) },
  }));
  return sql`json_to_recordset(${recordsOf(rows)}::json)
    as t (place integer, service text, environment text, "from" timestamptz, "to" timestamptz)`;
}

interface Newest extends ServiceName, Stretch {
  measure: Measure;
  limit: number;
}

/** The newest calls that say something about the measure, at most `limit`, oldest first. */
export async function newestFacts(db: Db, newest: Newest): Promise<CallFacts[]> {
  if (newest.measure === 'format' || newest.measure === 'score') return newestVerdicts(db, newest);
  const looked = sql`(select * from call where ${within(newest)}
    order by at desc, id desc limit ${LOOKED_THROUGH})`;
  const { rows } = await sql<CallFacts>`
    select ${columns(newest.measure === 'words')} from ${looked} call ${JOINS} where ${TELLS[newest.measure] ?? sql`call.span_seen`}
    order by call.at desc, call.id desc limit ${newest.limit}`.execute(db);
  return rows.toReversed();
}

/** Scores and formats are in the index by time: nothing else is read, so these are found however few there are. */
async function newestVerdicts(db: Db, newest: Newest): Promise<CallFacts[]> {
  const verdict = newest.measure === 'format' ? sql.ref('format_ok') : sql.ref('quality');
  const calls = sql`select id, at, span_seen, quality, format_ok from call
    where ${within(newest)} and ${verdict} is not null order by at desc, id desc limit ${newest.limit}`;
  const { rows } = await sql<Pick<CallFacts, 'at' | 'isSpan' | 'quality' | 'formatOk' | 'judge'>>`
    select call.at, call.span_seen as "isSpan", call.quality, call.format_ok as "formatOk", j.evaluator as judge
    from (${calls}) call left join call_evaluation j
      on ${newest.measure === 'score'} and j.call_id = call.id and j.name = 'quality'
    order by call.at desc, call.id desc`.execute(db);
  return rows.toReversed().map((row) => ({ ...UNKNOWN, ...row }));
}

const within = ({ service, environment, from, to }: Newest) => sql`service = ${service}
  and environment = ${environment} and at >= ${new Date(from)} and at < ${new Date(to)}`;

const hasTokens = sql`(call.input_tokens is not null or call.output_tokens is not null)`;
const TELLS: Partial<Record<Measure, typeof hasTokens>> = {
  refusals: sql`f.refused is not null`,
  hallucination: sql`(f.hedged is not null or f.contradicts is not null or f.unsupported is not null)`,
  similarity: sql`s.value is not null`,
  cost: sql`call.cost_usd is not null`,
  spend: sql`call.cost_usd is not null`,
  latency: sql`call.latency_ms is not null`,
  length: sql`call.output_chars is not null`,
  'input-length': sql`f.input_chars is not null`,
  words: sql`f.words is not null`,
  tokens: hasTokens,
  largest: hasTokens,
  offender: hasTokens,
};

const UNKNOWN = {
  ...{ failed: false, latencyMs: null, inputTokens: null, outputTokens: null, outputChars: null },
  ...{ inputChars: null, costUsd: null, userId: null, endpoint: null, similarity: null, refused: null },
  ...{ hedged: null, contradicts: null, unsupported: null, words: null },
};
