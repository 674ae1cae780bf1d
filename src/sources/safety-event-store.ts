import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { recordsOf } from './call-batch.ts';
import type { CallWindow, ServiceName } from './call-statistics-store.ts';

/** Something that should not have reached a user, and did. */
export interface SafetyEvent extends ServiceName {
  rule: string;
  callId: number;
  /** When the call ended. */
  at: Date;
  /** When the bot saw it. */
  notedAt: Date;
  userId: string | null;
  /** Kinds of it, as "email, phone"; never the text itself. */
  detail: string;
}

/** Notes each event once for its call and rule. Returns those that are new. */
export async function noteSafetyEvents(db: Db, events: readonly SafetyEvent[]): Promise<SafetyEvent[]> {
  if (events.length === 0) return [];
  const { rows } = await sql<SafetyEvent>`
    insert into safety_event (service, environment, rule, call_id, at, noted_at, user_id, detail)
    select service, environment, rule, "callId", at, "notedAt", "userId", detail
    from json_to_recordset(${recordsOf(events)}::json) as t (service text, environment text, rule text,
      "callId" bigint, at timestamptz, "notedAt" timestamptz, "userId" text, detail text)
    on conflict do nothing
    returning service, environment, rule, call_id as "callId", at, noted_at as "notedAt", user_id as "userId",
      detail`.execute(db);
  return rows;
}

/** How many events of a rule were noted in the window, and their kinds. */
export async function safetyEventsIn(
  db: Db,
  window: CallWindow & { rule: string },
): Promise<{ n: number; kinds: string[] }> {
  const row = await db
    .selectFrom('safety_event')
    .select([sql<number>`count(*)`.as('n'), sql<string[] | null>`array_agg(distinct detail)`.as('kinds')])
    .where('service', '=', window.service)
    .where('environment', '=', window.environment)
    .where('rule', '=', window.rule)
    .where('noted_at', '>=', window.from)
    .where('noted_at', '<', window.to)
    .executeTakeFirstOrThrow();
  const kinds = (row.kinds ?? []).flatMap((detail) => detail.split(', '));
  return { n: row.n, kinds: [...new Set(kinds)].sort() };
}
