import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { RuleId } from './rule.ts';
import type { NextSignal, Signal } from './signal.ts';

export interface SignalKey {
  service: string;
  environment: string;
  rule: RuleId;
  /** An early warning and the rule of the same name are two signals. */
  warning: boolean;
}

export interface StoredSignal extends SignalKey, Signal {
  /** The incident of the present or the last episode. */
  incidentId: number | null;
  /** The evaluation that last changed it. */
  evaluationId: number;
}

/** What the rules say now, of one service when it is named. */
export async function signalsOf(
  db: Db,
  of: { service?: string; environment?: string } = {},
): Promise<StoredSignal[]> {
  const { service, environment } = of;
  const rows = await db
    .selectFrom('signal')
    .selectAll()
    .$if(service !== undefined, (query) => query.where('service', '=', service ?? ''))
    .$if(environment !== undefined, (query) => query.where('environment', '=', environment ?? ''))
    .orderBy('service')
    .orderBy('environment')
    .orderBy('rule')
    .orderBy('warning')
    .execute();
  return rows.map(storedSignal);
}

/** One signal, locked until the end of the transaction. */
export async function lockSignal(db: Db, key: SignalKey): Promise<StoredSignal | null> {
  const row = await db
    .selectFrom('signal')
    .selectAll()
    .where('service', '=', key.service)
    .where('environment', '=', key.environment)
    .where('rule', '=', key.rule)
    .where('warning', '=', key.warning)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? null : storedSignal(row);
}

export interface SignalUpdate extends SignalKey {
  signal: NextSignal;
  evaluationId: number;
}

/** Keeps what rules say now; the incident that a signal is linked to stays. */
export async function saveSignals(db: Db, updates: readonly SignalUpdate[]): Promise<void> {
  if (updates.length === 0) return;
  const records = updates.map(({ signal, ...of }) => ({
    service: of.service,
    environment: of.environment,
    rule: of.rule,
    warning: of.warning,
    state: signal.state,
    since: signal.since,
    past_bound_since: signal.pastBoundSince,
    recent: signal.recent,
    past_since: signal.pastSince,
    quiet_since: signal.quietSince,
    closed_at: signal.closedAt,
    evaluation_id: of.evaluationId,
  }));
  await sql`
    insert into signal (service, environment, rule, warning, state, since, past_bound_since, recent, past_since,
      quiet_since, closed_at, evaluation_id)
    select service, environment, rule, warning, state, since, past_bound_since, recent, past_since,
      quiet_since, closed_at, evaluation_id
    from json_to_recordset(${JSON.stringify(records)}::json) as t (service text, environment text, rule text,
      warning boolean, state text, since timestamptz, past_bound_since timestamptz, recent text,
      past_since timestamptz, quiet_since timestamptz, closed_at timestamptz, evaluation_id bigint)
    order by service, environment, rule, warning
    on conflict (service, environment, rule, warning) do update set state = excluded.state, since = excluded.since,
      past_bound_since = excluded.past_bound_since, recent = excluded.recent, past_since = excluded.past_since,
      quiet_since = excluded.quiet_since, closed_at = excluded.closed_at, evaluation_id = excluded.evaluation_id`.execute(
    db,
  );
}

/** Notes the incident that a signal belongs to; null takes the note away. */
export async function linkSignal(db: Db, link: SignalKey & { incidentId: number | null }): Promise<void> {
  await db
    .updateTable('signal')
    .set({ incident_id: link.incidentId })
    .where('service', '=', link.service)
    .where('environment', '=', link.environment)
    .where('rule', '=', link.rule)
    .where('warning', '=', link.warning)
    .execute();
}

function storedSignal(row: Row<'signal'>): StoredSignal {
  return {
    service: row.service,
    environment: row.environment,
    rule: row.rule as RuleId,
    warning: row.warning,
    state: row.state as Signal['state'],
    since: row.since,
    pastBoundSince: row.past_bound_since,
    recent: row.recent,
    pastSince: row.past_since,
    quietSince: row.quiet_since,
    closedAt: row.closed_at,
    incidentId: row.incident_id,
    evaluationId: row.evaluation_id,
  };
}
