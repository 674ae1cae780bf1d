import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Db, Tx } from '../db/database.ts';
import type { Call, CallEvaluation } from './call.ts';
import { batchesOf, keyOfCall, keyOfRow, recordsOf, uniqueBy } from './call-batch.ts';
import { saveRetrievals } from './retrieval-store.ts';
import { markStale } from './rollup-store.ts';
import { MINUTE_MS, roundDown } from './stretch.ts';

/** Writers of calls share this lock, so that a reader of new ids or changes can wait for those still on their way. */
const CALLS_LOCK = 5_120_001;

interface Key {
  id: number;
  trace_id: string;
  span_id: string;
}

/**
 * Stores calls and their texts; a call that is stored already changes nothing, one that only an evaluation
 * announced is filled in and keeps its scores. Returns how many were new.
 */
export async function saveCalls(db: Db, calls: readonly Call[]): Promise<number> {
  if (calls.length === 0) return 0;
  return inTransaction(db, async (tx) => {
    await sql`select pg_advisory_xact_lock_shared(${CALLS_LOCK})`.execute(tx);
    let saved = 0;
    for (const batch of batchesOf(uniqueBy(calls, keyOfCall))) saved += await saveBatch(tx, batch);
    return saved;
  });
}

/**
 * Holds until the end of the transaction: every call with an id or a change below the highest visible one is
 * then visible.
 */
export async function waitForCallWriters(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(${CALLS_LOCK})`.execute(tx);
}

/**
 * Stores what evaluators said. One that comes before its span makes a stub of the call; one without a trace
 * id joins by span id; one without a span id stands alone. Of two with the same name for a call, the later
 * one stays.
 */
export async function saveEvaluations(db: Db, evaluations: readonly CallEvaluation[]): Promise<void> {
  if (evaluations.length === 0) return;
  await inTransaction(db, async (tx) => {
    await sql`select pg_advisory_xact_lock_shared(${CALLS_LOCK})`.execute(tx);
    for (const batch of batchesOf(evaluations)) await saveEvaluationBatch(tx, batch);
  });
}

/** Keeps the texts of these calls for an incident, out of reach of pruning; the first incident to ask is noted. */
export async function freezeContent(db: Db, callIds: readonly number[], incidentId: number): Promise<void> {
  if (callIds.length === 0) return;
  await db
    .updateTable('call_content')
    .set({ frozen_for: incidentId })
    .where('call_id', 'in', [...callIds])
    .where('frozen_for', 'is', null)
    .execute();
}

async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db as Tx) : db.transaction().execute(work);
}

async function saveBatch(tx: Tx, calls: Call[]): Promise<number> {
  const stubs = await setStubsAside(tx, calls);
  const saved = await insertCalls(tx, calls);
  const idOf = new Map(saved.map((row) => [keyOfRow(row), row.id]));
  const contents = calls.flatMap((call) => {
    const id = idOf.get(keyOfCall(call));
    return id === undefined || (call.input === null && call.output === null)
      ? []
      : [{ call_id: id, input: call.input, output: call.output }];
  });
  if (contents.length > 0) {
    await sql`insert into call_content (call_id, input, output)
      select call_id, input, output from json_to_recordset(${recordsOf(contents)}::json)
        as t (call_id bigint, input text, output text)
      on conflict do nothing`.execute(tx);
  }
  await saveRetrievals(tx, calls, idOf);
  for (const stub of stubs) await moveEvaluations(tx, stub.id, idOf.get(stub.call));
  const filled = stubs.flatMap((stub) => idOf.get(stub.call) ?? []);
  await applyVerdicts(tx, filled);
  return saved.length;
}

/**
 * A filled stub gets a new id, for ids are the order in which spans arrived, and the ledger reads on from the
 * last.
 */
async function setStubsAside(tx: Tx, calls: Call[]): Promise<{ id: number; call: string }[]> {
  const spanIds = calls.map((call) => call.spanId);
  const found = await tx
    .selectFrom('call')
    .select(['id', 'trace_id', 'span_id', 'service', 'environment', 'at'])
    .where('span_id', 'in', spanIds)
    .where('span_seen', '=', false)
    .orderBy('id')
    .forUpdate()
    .execute();
  const byKey = new Set(calls.map(keyOfCall));
  const bySpan = new Map(calls.map((call) => [call.spanId, keyOfCall(call)]));
  const stubs = found.flatMap(({ id, trace_id, span_id, at, ...service }) => {
    const call = trace_id === '' ? bySpan.get(span_id) : `${trace_id}/${span_id}`;
    const minute = { ...service, start: roundDown(at.getTime(), MINUTE_MS) };
    return call !== undefined && byKey.has(call) ? [{ id, call, minute }] : [];
  });
  if (stubs.length > 0) {
    const ids = sql.join(stubs.map((stub) => stub.id));
    await sql`update call set trace_id = 'stub', span_id = 'stub:' || id where id in (${ids})`.execute(tx);
    const minutesLeft = stubs.map((stub) => stub.minute);
    await markStale(tx, 'minute', minutesLeft);
  }
  return stubs;
}

async function moveEvaluations(tx: Tx, stubId: number, callId: number | undefined): Promise<void> {
  if (callId !== undefined) {
    await sql`insert into call_evaluation (call_id, name, value, label, explanation, evaluator, at)
      select ${callId}::bigint, name, value, label, explanation, evaluator, at from call_evaluation
        where call_id = ${stubId}
      on conflict (call_id, name) do nothing`.execute(tx);
    await sql`update safety_event set call_id = ${callId} where call_id = ${stubId}`.execute(tx);
  }
  await tx.deleteFrom('call').where('id', '=', stubId).execute();
}

async function insertCalls(tx: Tx, calls: Call[]): Promise<Key[]> {
  const rows = calls.map(({ input: _input, output: _output, retrieval: _retrieval, ...rest }) => rest);
  const inserted = await sql<Key>`
    insert into call (trace_id, span_id, span_seen, service, environment, at, request_model, response_model,
      parameters, prompt_name, prompt_version, prompt_sha256, user_id, session_id, endpoint, input_tokens,
      output_tokens, output_chars, cost_usd, latency_ms, error)
    select "traceId", "spanId", true, service, environment, at, "requestModel", "responseModel", parameters,
      "promptName", "promptVersion", "promptSha256", "userId", "sessionId", endpoint, "inputTokens",
      "outputTokens", "outputChars", "costUsd", "latencyMs", error
    from json_to_recordset(${recordsOf(rows)}::json) as t ("traceId" text, "spanId" text, service text,
      environment text, at timestamptz, "requestModel" text, "responseModel" text, parameters jsonb,
      "promptName" text, "promptVersion" text, "promptSha256" text, "userId" text, "sessionId" text,
      endpoint text, "inputTokens" integer, "outputTokens" integer, "outputChars" integer,
      "costUsd" double precision, "latencyMs" double precision, error text)
    on conflict (trace_id, span_id) do update set span_seen = true, service = excluded.service,
      environment = excluded.environment, at = excluded.at, request_model = excluded.request_model,
      response_model = excluded.response_model, parameters = excluded.parameters,
      prompt_name = excluded.prompt_name, prompt_version = excluded.prompt_version,
      prompt_sha256 = excluded.prompt_sha256, user_id = excluded.user_id, session_id = excluded.session_id,
      endpoint = excluded.endpoint, input_tokens = excluded.input_tokens,
      output_tokens = excluded.output_tokens,
      output_chars = excluded.output_chars, cost_usd = excluded.cost_usd, latency_ms = excluded.latency_ms,
      error = excluded.error, changed = excluded.changed
      where not call.span_seen
    returning id, trace_id, span_id`.execute(tx);
  return inserted.rows;
}

interface Pending extends CallEvaluation {
  traceId: string;
  spanId: string;
}

async function saveEvaluationBatch(tx: Tx, evaluations: CallEvaluation[]): Promise<void> {
  const pending = await withKeys(tx, evaluations);
  const stubs = uniqueBy(pending, keyOfCall);
  // The update changes nothing; it locks the call and returns its id, whether it was there or not.
  const keys = await sql<Key>`
    insert into call (trace_id, span_id, span_seen, service, environment, at, parameters)
    select "traceId", "spanId", false, service, environment, at, '{}'
    from json_to_recordset(${recordsOf(stubs)}::json)
      as t ("traceId" text, "spanId" text, service text, environment text, at timestamptz)
    on conflict (trace_id, span_id) do update set span_seen = call.span_seen
    returning id, trace_id, span_id`.execute(tx);
  const idOf = new Map(keys.rows.map((row) => [keyOfRow(row), row.id]));
  const latestFirst = pending.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const rows = uniqueBy(latestFirst, (one) => `${keyOfCall(one)}/${one.name}`).map((one) => ({
    ...one,
    call_id: idOf.get(keyOfCall(one)),
  }));
  const said = await sql<{ call_id: number }>`
    insert into call_evaluation (call_id, name, value, label, explanation, evaluator, at)
    select call_id, name, value, label, explanation, evaluator, at
    from json_to_recordset(${recordsOf(rows)}::json) as t (call_id bigint, name text, value double precision,
      label text, explanation text, evaluator text, at timestamptz)
    on conflict (call_id, name) do update set value = excluded.value, label = excluded.label,
      explanation = excluded.explanation, evaluator = excluded.evaluator, at = excluded.at
      where excluded.at > call_evaluation.at
    returning call_id`.execute(tx);
  await applyVerdicts(tx, [...new Set(said.rows.map((row) => row.call_id))]);
}

/** Gives every evaluation the key of its call, also where the log named only the span, or nothing. */
async function withKeys(tx: Tx, evaluations: CallEvaluation[]): Promise<Pending[]> {
  const spansWithoutTrace = evaluations.flatMap((one) => (one.traceId === null ? (one.spanId ?? []) : []));
  const found = await rowsOfSpans(tx, spansWithoutTrace);
  const traceOf = new Map(found.map((row) => [row.span_id, row.trace_id]));
  const pending = evaluations.map((one): Pending => {
    if (one.spanId === null) return { ...one, traceId: one.traceId ?? '', spanId: idFromContent(one) };
    return { ...one, spanId: one.spanId, traceId: one.traceId ?? traceOf.get(one.spanId) ?? '' };
  });
  await adoptStubs(
    tx,
    uniqueBy(pending, keyOfCall).filter((one) => one.traceId !== ''),
  );
  return pending;
}

/** Oldest last, so that a map of them keeps the oldest; rows without a trace id come first and lose. */
async function rowsOfSpans(tx: Tx, spanIds: string[]): Promise<Key[]> {
  if (spanIds.length === 0) return [];
  const rows = await tx
    .selectFrom('call')
    .select(['id', 'trace_id', 'span_id'])
    .where('span_id', 'in', spanIds)
    .orderBy('id', 'desc')
    .execute();
  return rows.toSorted((a, b) => Number(a.trace_id !== '') - Number(b.trace_id !== ''));
}

/** A stub made without a trace id takes the first one that is named for its span. */
async function adoptStubs(tx: Tx, named: Pending[]): Promise<void> {
  if (named.length === 0) return;
  await sql`update call set trace_id = t."traceId"
    from json_to_recordset(${recordsOf(named)}::json) as t ("traceId" text, "spanId" text)
    where call.span_id = t."spanId" and call.trace_id = '' and not call.span_seen and not exists
      (select 1 from call other where other.trace_id = t."traceId" and other.span_id = t."spanId")`.execute(
    tx,
  );
}

function idFromContent(one: CallEvaluation): string {
  const content = [one.traceId, one.service, one.environment, one.at, one.name, one.value, one.label];
  const text = JSON.stringify([...content, one.explanation, one.evaluator]);
  return `none:${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** A format that was computed from the output stays until somebody says otherwise. */
async function applyVerdicts(tx: Tx, callIds: number[]): Promise<void> {
  if (callIds.length === 0) return;
  await sql`update call set quality = coalesce(e.quality, call.quality),
      format_ok = coalesce(e.format_ok, call.format_ok), changed = nextval('call_change')
    from (select call_id, max(value) filter (where name = 'quality') as quality,
        bool_or(value = 1) filter (where name = 'format') as format_ok
      from call_evaluation where call_id in (${sql.join(callIds)}) group by call_id) e
    where call.id = e.call_id`.execute(tx);
}
