import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { SAMPLING_PARAMETERS } from './call.ts';
import type { CallWindow, ServiceName } from './call-statistics-store.ts';

export interface SampledCall {
  id: number;
  at: Date;
  requestModel: string | null;
  responseModel: string | null;
  parameters: Record<string, number | string>;
  promptName: string | null;
  promptVersion: string | null;
  promptSha256: string | null;
  endpoint: string | null;
  error: string | null;
  quality: number | null;
  formatOk: boolean | null;
  input: string | null;
  output: string | null;
}

/** A score below this is a bad answer where the caller knows no better. */
const PASS_SCORE = 0.5;

/** What went wrong with the calls that a kind of incident is about. */
export type Failure = 'answer' | 'error' | 'cost' | 'safety';

/** Which calls failed so, and which of them come first. */
function failed(failure: Failure, passScore: number) {
  const newest = sql`at desc, call.id desc`;
  switch (failure) {
    case 'error':
      return { where: sql<boolean>`error is not null`, order: newest };
    case 'cost':
      return {
        where: sql<boolean>`coalesce(cost_usd, input_tokens, output_tokens) is not null`,
        order: sql`cost_usd desc nulls last, coalesce(input_tokens, 0) + coalesce(output_tokens, 0) desc, ${newest}`,
      };
    case 'safety':
      return {
        where: sql<boolean>`exists (select 1 from safety_event where safety_event.call_id = call.id)`,
        order: newest,
      };
    default:
      return {
        where: sql<boolean>`(format_ok is false or coalesce(quality < ${passScore}, false))`,
        order: sql`format_ok nulls last, quality nulls last, ${newest}`,
      };
  }
}

/**
 * Calls with their raw texts: redact before showing. Policy: bad is what the incident is about: for an answer, failed
 * the format or scored below `passScore`, worst first; an error; the costliest calls; a call that leaked or was flagged.
 * Good has a verdict and nothing against it; any is a sample that is even over the window and repeatable.
 */
export async function sampleCalls(
  db: Db,
  sample: CallWindow & {
    which: 'bad' | 'good' | 'any';
    limit: number;
    passScore?: number;
    failure?: Failure;
  },
): Promise<SampledCall[]> {
  const pass = sample.passScore ?? PASS_SCORE;
  const bad = failed(sample.failure ?? 'answer', pass);
  const good = sql<boolean>`(format_ok is not false and coalesce(quality >= ${pass}, true)
    and (format_ok is not null or quality is not null))`;
  const even = sql`md5(trace_id || span_id)`;
  const order = sample.which === 'bad' ? bad.order : even;
  return db
    .selectFrom('call')
    .leftJoin('call_content', 'call_content.call_id', 'call.id')
    .where('service', '=', sample.service)
    .where('environment', '=', sample.environment)
    .where('at', '>=', sample.from)
    .where('at', '<', sample.to)
    .where('span_seen', '=', true)
    .$if(sample.which === 'bad', (query) => query.where(bad.where))
    .$if(sample.which === 'good', (query) => query.where(good))
    .select([
      'call.id',
      'at',
      'request_model as requestModel',
      'response_model as responseModel',
      'parameters',
    ])
    .select(['prompt_name as promptName', 'prompt_version as promptVersion', 'prompt_sha256 as promptSha256'])
    .select(['endpoint', 'error', 'quality', 'format_ok as formatOk', 'input', 'output'])
    .orderBy(order)
    .limit(sample.limit)
    .execute();
}

/** What one call says about what was serving. */
export interface ServedCall {
  id: number;
  at: Date;
  promptName: string | null;
  promptVersion: string | null;
  promptSha256: string | null;
  requestModel: string | null;
  responseModel: string | null;
  parameters: Record<string, number | string>;
}

/**
 * Calls in the order in which they arrived, after `afterId`. Hold `waitForCallWriters` so that none is
 * skipped.
 */
export async function callsAfter(
  db: Db,
  page: ServiceName & { afterId: number; limit: number },
): Promise<ServedCall[]> {
  return servedCalls(db, page).where('id', '>', page.afterId).orderBy('id').limit(page.limit).execute();
}

/** Which calls tell about a component: those that name a model, or this prompt, or sampling parameters with it. */
export type ServedBy = { kind: 'model' } | { kind: 'prompt' | 'sampling'; name: string | null };

/** The newest `limit` calls about a component with `notBefore` ≤ time < `before`, oldest first. */
export async function callsBefore(
  db: Db,
  last: ServiceName & { by: ServedBy; before: Date; notBefore: Date; limit: number },
): Promise<ServedCall[]> {
  const rows = await servedCalls(db, last)
    .where(namedBy(last.by))
    .where('at', '>=', last.notBefore)
    .where('at', '<', last.before)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(last.limit)
    .execute();
  return rows.toReversed();
}

/** Calls about a component in the order of their time, from `from` on or after the call `after`. */
export async function callsFrom(
  db: Db,
  page: ServiceName & { by: ServedBy; from: Date; after: ServedCall | null; limit: number },
): Promise<ServedCall[]> {
  const { after } = page;
  return servedCalls(db, page)
    .where(namedBy(page.by))
    .where('at', '>=', after?.at ?? page.from)
    .$if(after !== null, (query) => query.where(sql<boolean>`(at, id) > (${after?.at}, ${after?.id})`))
    .orderBy('at')
    .orderBy('id')
    .limit(page.limit)
    .execute();
}

function namedBy(by: ServedBy) {
  if (by.kind === 'model') return sql<boolean>`(request_model is not null or response_model is not null)`;
  if (by.kind === 'sampling') {
    return sql<boolean>`(prompt_name is not distinct from ${by.name}::text
      and parameters ?| array[${sql.join(SAMPLING_PARAMETERS.map((name) => sql.lit(name)))}])`;
  }
  if (by.name !== null) return sql<boolean>`prompt_name = ${by.name}`;
  return sql<boolean>`(prompt_name is null and (prompt_version is not null or prompt_sha256 is not null))`;
}

function servedCalls(db: Db, { service, environment }: ServiceName) {
  return db
    .selectFrom('call')
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('span_seen', '=', true)
    .select(['id', 'at', 'prompt_name as promptName', 'prompt_version as promptVersion'])
    .select([
      'prompt_sha256 as promptSha256',
      'request_model as requestModel',
      'response_model as responseModel',
      'parameters',
    ]);
}

export interface InputShape {
  calls: number;
  callsPerMinute: number;
  meanInputChars: number | null;
  meanInputTokens: number | null;
  distinctUsers: number;
  /** Busiest first. */
  endpoints: { endpoint: string | null; n: number }[];
}

/** Reading texts is dear: their mean length is taken over the newest ones of the window. */
const CHARS_OF_LAST = 5_000;

/** The shape of what came in during a window. */
export async function inputShape(db: Db, window: CallWindow): Promise<InputShape> {
  const calls = db
    .selectFrom('call')
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('at', '>=', window.from)
    .where('at', '<', window.to)
    .where('span_seen', '=', true);
  const counts = await calls
    .select([
      sql<number>`count(*)`.as('calls'),
      sql<number | null>`avg(input_tokens)::double precision`.as('meanInputTokens'),
      sql<number>`count(distinct user_id)`.as('distinctUsers'),
    ])
    .executeTakeFirstOrThrow();
  const newest = calls.select('id').orderBy('at', 'desc').limit(CHARS_OF_LAST);
  const chars = await db
    .selectFrom('call_content')
    .innerJoin(newest.as('newest'), 'newest.id', 'call_content.call_id')
    .select(sql<number | null>`avg(char_length(input))::double precision`.as('mean'))
    .executeTakeFirstOrThrow();
  const endpoints = await calls
    .select(['endpoint', sql<number>`count(*)`.as('n')])
    .groupBy('endpoint')
    .orderBy('n', 'desc')
    .orderBy('endpoint')
    .execute();
  const minutes = (window.to.getTime() - window.from.getTime()) / 60_000;
  return { ...counts, callsPerMinute: counts.calls / minutes, meanInputChars: chars.mean, endpoints };
}

export interface CallText {
  input: string | null;
  output: string | null;
}

/** The raw texts of these calls, by call id; a pruned text is absent. Redact before showing. */
export async function callTexts(db: Db, callIds: readonly number[]): Promise<Map<number, CallText>> {
  if (callIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('call_content')
    .selectAll()
    .where('call_id', 'in', [...callIds])
    .execute();
  return new Map(rows.map(({ call_id, input, output }) => [call_id, { input, output }]));
}

/** By which trace each call is found in what recorded it; calls that are gone are left out. */
export async function tracesOf(db: Db, callIds: readonly number[]): Promise<Map<number, string>> {
  if (callIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('call')
    .select(['id', 'trace_id'])
    .where('id', 'in', [...callIds])
    .execute();
  return new Map(rows.map(({ id, trace_id }) => [id, trace_id]));
}
