import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';

/** A call that may be scored. Ids are the order of arrival. */
export interface ScorableCall {
  id: number;
  traceId: string;
  spanId: string;
}

/** The newest call that has arrived, of any service; 0 when there is none. */
export async function newestCallId(db: Db): Promise<number> {
  const row = await db
    .selectFrom('call')
    .select((eb) => eb.fn.max('id').as('id'))
    .executeTakeFirst();
  return row?.id ?? 0;
}

export interface Arrived {
  service: string;
  environment: string;
  afterId: number;
  upToId: number;
  /** Calls that ended before this are left out. */
  notBefore: Date;
  /** Whose calls are no user's, and are left out. */
  exceptUser: string;
}

/** Calls with an output that nobody has scored yet, in order of arrival. */
export async function unscoredCalls(db: Db, arrived: Arrived): Promise<ScorableCall[]> {
  const { service, environment, afterId, upToId, notBefore, exceptUser } = arrived;
  const { rows } = await sql<ScorableCall>`
    select call.id, trace_id as "traceId", span_id as "spanId" from call
    where call.id > ${afterId} and call.id <= ${upToId} and span_seen
      and service = ${service} and environment = ${environment} and at >= ${notBefore}
      and user_id is distinct from ${exceptUser}
      and exists (select 1 from call_content where call_id = call.id and output <> '')
      and not exists (select 1 from call_evaluation where call_id = call.id and name = 'quality')
    order by call.id`.execute(db);
  return rows;
}

export interface CallToScore extends ScorableCall {
  service: string;
  environment: string;
  at: Date;
  input: string | null;
  output: string | null;
}

/** Undefined when the call or its texts are gone. */
export async function callToScore(db: Db, callId: number): Promise<CallToScore | undefined> {
  return db
    .selectFrom('call')
    .innerJoin('call_content', 'call_content.call_id', 'call.id')
    .select([
      'call.id',
      'call.trace_id as traceId',
      'call.span_id as spanId',
      'call.service',
      'call.environment',
      'call.at',
      'call_content.input',
      'call_content.output',
    ])
    .where('call.id', '=', callId)
    .executeTakeFirst();
}

/** Who gave the call its quality score; undefined when nobody did, null when they gave no name. */
export async function scorerOf(db: Db, callId: number): Promise<string | null | undefined> {
  const row = await db
    .selectFrom('call_evaluation')
    .select('evaluator')
    .where('call_id', '=', callId)
    .where('name', '=', 'quality')
    .executeTakeFirst();
  return row?.evaluator;
}
