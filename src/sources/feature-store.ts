import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { recordsOf } from './call-batch.ts';
import type { ServiceName } from './call-statistics-store.ts';
import type { CallFeatures } from './content/inspect.ts';
import type { SafetyVerdict } from './inspected-call.ts';

/** A call that is new, or about which something new was said. */
export interface ChangedCall extends ServiceName {
  id: number;
  changed: number;
  at: Date;
  userId: string | null;
  /** It has a text that nobody has looked at. */
  isUnread: boolean;
  /** Null also when they were looked at before. */
  input: string | null;
  output: string | null;
}

/** Calls that changed after `after`, in that order, with the texts that were not looked at yet. */
export async function unreadCalls(db: Db, page: { after: number; limit: number }): Promise<ChangedCall[]> {
  const { rows } = await sql<ChangedCall>`
    select ${CHANGED}, case when f.call_id is null then t.input end as input,
      case when f.call_id is null then t.output end as output
    ${FROM_CHANGED} where call.changed > ${page.after} order by call.changed limit ${page.limit}`.execute(db);
  return rows;
}

/** The same up to and with `until`, without the texts. */
export async function changedCalls(
  db: Db,
  { after, until }: { after: number; until: number },
): Promise<Omit<ChangedCall, 'input' | 'output'>[]> {
  const { rows } = await sql<ChangedCall>`
    select ${CHANGED} ${FROM_CHANGED}
    where call.changed > ${after} and call.changed <= ${until} order by call.changed`.execute(db);
  return rows;
}

const CHANGED = sql`call.id, call.changed, call.service, call.environment, call.at, call.user_id as "userId",
  call.span_seen and t.call_id is not null and f.call_id is null as "isUnread"`;
const FROM_CHANGED = sql`from call left join call_content t on t.call_id = call.id
  left join call_feature f on f.call_id = call.id`;

/** Keeps what the texts show; a call that has its features keeps them. */
export async function saveFeatures(
  db: Db,
  rows: readonly (CallFeatures & { callId: number })[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql`insert into call_feature (call_id, input_chars, refused, hedged, contradicts, unsupported, words)
    select "callId", "inputChars", refused, hedged, contradicts, unsupported,
      case when jsonb_typeof(words) = 'array' then words end
    from json_to_recordset(${recordsOf(rows)}::json) as t ("callId" bigint, "inputChars" integer, refused boolean,
      hedged boolean, contradicts boolean, unsupported boolean, words jsonb)
    on conflict do nothing`.execute(db);
}

/** Notes whether outputs had the right format, where nobody else has said so. */
export async function saveFormats(
  db: Db,
  verdicts: readonly { callId: number; formatOk: boolean }[],
): Promise<void> {
  if (verdicts.length === 0) return;
  await sql`update call set format_ok = t."formatOk"
    from json_to_recordset(${recordsOf(verdicts)}::json) as t ("callId" bigint, "formatOk" boolean)
    where call.id = t."callId" and not exists
      (select 1 from call_evaluation e where e.call_id = call.id and e.name = 'format')`.execute(db);
}

/** What classifiers and users said about the safety of the calls that changed after `after`, up to `until`. */
export async function safetyVerdicts(
  db: Db,
  { after, until }: { after: number; until: number },
): Promise<(SafetyVerdict & { callId: number })[]> {
  const { rows } = await sql<SafetyVerdict & { callId: number }>`
    select e.call_id as "callId", e.name, e.value, e.label
    from call join call_evaluation e on e.call_id = call.id and e.name in ('safety', 'user_flag')
    where call.changed > ${after} and call.changed <= ${until} order by e.call_id, e.name`.execute(db);
  return rows;
}
