import type { Db } from '../db/database.ts';

/** Whose call it was, and which prompt answered it. */
export interface CallOwner {
  promptName: string | null;
  /** User and session ids, as the service sent them. */
  people: string[];
}

/** By call id; a call that is gone is absent. */
export async function callOwners(db: Db, callIds: readonly number[]): Promise<Map<number, CallOwner>> {
  if (callIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('call')
    .select(['id', 'prompt_name', 'user_id', 'session_id'])
    .where('id', 'in', [...callIds])
    .execute();
  return new Map(
    rows.map(({ id, prompt_name: promptName, user_id, session_id }) => [
      id,
      { promptName, people: [user_id, session_id].filter((one) => one !== null) },
    ]),
  );
}

/** One call with its raw texts: de-identify before showing. */
export interface CaseCall {
  id: number;
  input: string;
  output: string;
  quality: number | null;
  formatOk: boolean | null;
  promptVersion: string | null;
  responseModel: string | null;
}

/** A call of this service by its id, or by its trace (its newest call, or the one of a span); null without its texts. */
export async function caseCall(
  db: Db,
  of: {
    service: string;
    environment: string;
    which: { id: number } | { traceId: string; spanId: string | null };
  },
): Promise<CaseCall | null> {
  const { which } = of;
  const byTrace = 'traceId' in which ? which : null;
  const row = await db
    .selectFrom('call')
    .innerJoin('call_content', 'call_content.call_id', 'call.id')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .$if('id' in which, (query) => query.where('call.id', '=', 'id' in which ? which.id : -1))
    .$if(byTrace !== null, (query) => query.where('trace_id', '=', byTrace?.traceId ?? ''))
    .$if(byTrace?.spanId != null, (query) => query.where('span_id', '=', byTrace?.spanId ?? ''))
    .select(['call.id', 'input', 'output', 'quality', 'format_ok as formatOk'])
    .select(['prompt_version as promptVersion', 'response_model as responseModel'])
    .orderBy('at', 'desc')
    .orderBy('call.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined || row.input === null || row.output === null) return null;
  return { ...row, input: row.input, output: row.output };
}
