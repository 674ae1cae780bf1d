import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { CallWindow, MinuteSum } from './call-statistics-store.ts';

/** Where the line is between a bad answer and one that will do. */
export interface Bar {
  passScore: number;
  /** Outputs below are too short; null where no usual length is known. */
  minChars: number | null;
}

/** How a call failed, the first that applies. */
export const FAILURE_KINDS = ['error', 'format', 'refusal', 'low score', 'short'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

const KIND = ({ passScore, minChars }: Bar) => sql<FailureKind | null>`case
  when call.error is not null then 'error'
  when call.format_ok is false then 'format'
  when f.refused is true then 'refusal'
  when call.quality < ${passScore}::float8 then 'low score'
  when call.output_chars < ${minChars}::float8 then 'short' end`;

/** SQL of a call with its features `f`: true for a bad one. */
export const BAD = (bar: Bar) => sql<boolean>`(${KIND(bar)}) is not null`;

const CALLS = ({ service, environment, from, to }: CallWindow) => sql`from call
  left join call_feature f on f.call_id = call.id
  where call.service = ${service} and call.environment = ${environment}
    and call.at >= ${from} and call.at < ${to} and call.span_seen`;

/** All calls of a window, and how many failed in which way, the most frequent first. */
export async function failureKinds(
  db: Db,
  of: CallWindow & Bar,
): Promise<{ calls: number; kinds: { kind: FailureKind; n: number }[] }> {
  const { rows } = await sql<{ kind: FailureKind | null; n: number }>`
    select ${KIND(of)} as kind, count(*) as n ${CALLS(of)} group by 1 order by 2 desc, 1`.execute(db);
  const calls = rows.reduce((sum, { n }) => sum + n, 0);
  return { calls, kinds: rows.flatMap(({ kind, n }) => (kind === null ? [] : [{ kind, n }])) };
}

/** Calls of each minute, oldest first; `sum` is how many of them were not bad. */
export async function soundMinutes(db: Db, of: CallWindow & Bar): Promise<MinuteSum[]> {
  const { rows } = await sql<MinuteSum>`
    select date_trunc('minute', call.at) as minute, count(*) as n, count(*) filter (where not ${BAD(of)}) as sum
    ${CALLS(of)} group by 1 order by 1`.execute(db);
  return rows;
}

/** One endpoint, prompt version or model with its calls and the bad ones among them. */
export interface Segment {
  by: 'endpoint' | 'prompt version' | 'model';
  name: string;
  calls: number;
  bad: number;
}

/** The window by endpoint, by prompt version and by model; at most 20 of each, busiest first. */
export async function segmentsIn(db: Db, of: CallWindow & Bar): Promise<Segment[]> {
  const columns = {
    endpoint: sql`call.endpoint`,
    'prompt version': sql`call.prompt_name || ' ' || call.prompt_version`,
    model: sql`call.response_model`,
  };
  const found: Segment[] = [];
  for (const [by, column] of Object.entries(columns)) {
    const { rows } = await sql<Omit<Segment, 'by'>>`
      select ${column} as name, count(*) as calls, count(*) filter (where ${BAD(of)}) as bad
      ${CALLS(of)} and ${column} is not null group by 1 order by 2 desc, 1 limit 20`.execute(db);
    found.push(...rows.map((row) => ({ by: by as Segment['by'], ...row })));
  }
  return found;
}

/** What the errors of a window were called, most frequent first. */
export async function errorCodes(db: Db, of: CallWindow): Promise<{ error: string; n: number }[]> {
  const { rows } = await sql<{ error: string; n: number }>`
    select call.error, count(*) as n ${CALLS(of)} and call.error is not null
    group by 1 order by 2 desc, 1 limit 50`.execute(db);
  return rows;
}

/** Answered calls of each prompt version, and how many of them refused. */
export interface PromptRefusals {
  prompt: string;
  answered: number;
  refused: number;
}

export async function refusalsByPrompt(db: Db, of: CallWindow): Promise<PromptRefusals[]> {
  const { rows } = await sql<PromptRefusals>`
    select coalesce(call.prompt_name, 'prompt') || coalesce(' ' || call.prompt_version, '') as prompt,
      count(*) as answered, count(*) filter (where f.refused) as refused
    ${CALLS(of)} and f.refused is not null group by 1 order by 3 desc, 2 desc, 1 limit 20`.execute(db);
  return rows;
}

/** Inputs of a window, newest first: of bad calls, or of the others. Raw text: it does not leave as it is. */
export async function inputsOf(
  db: Db,
  of: CallWindow & Bar & { which: 'bad' | 'sound'; limit: number },
): Promise<{ callId: number; input: string }[]> {
  const wanted = of.which === 'bad' ? BAD(of) : sql`not ${BAD(of)}`;
  const { rows } = await sql<{ callId: number; input: string }>`
    select call.id as "callId", left(t.input, 4000) as input
    from call join call_content t on t.call_id = call.id left join call_feature f on f.call_id = call.id
    where call.service = ${of.service} and call.environment = ${of.environment}
      and call.at >= ${of.from} and call.at < ${of.to} and call.span_seen and t.input is not null and ${wanted}
    order by call.at desc, call.id desc limit ${of.limit}`.execute(db);
  return rows;
}
