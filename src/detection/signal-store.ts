import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { RuleId } from './rule.ts';
import type { NextSignal, Signal } from './signal.ts';

export interface SignalKey {
  service: string;
  environment: string;
  rule: RuleId;
}

export interface StoredSignal extends SignalKey, Signal {
  /** The incident of the present or the last episode. */
  incidentId: number | null;
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
    .execute();
  return rows.map(storedSignal);
}

export async function signalOf(db: Db, key: SignalKey): Promise<StoredSignal | null> {
  const row = await db
    .selectFrom('signal')
    .selectAll()
    .where('service', '=', key.service)
    .where('environment', '=', key.environment)
    .where('rule', '=', key.rule)
    .executeTakeFirst();
  return row === undefined ? null : storedSignal(row);
}

/** Keeps what a rule says now. A new episode forgets the incident of the last one. */
export async function saveSignal(
  db: Db,
  saved: SignalKey & { signal: NextSignal; evaluationId: number },
): Promise<void> {
  const { signal } = saved;
  const said = {
    state: signal.state,
    since: signal.since,
    past_bound_since: signal.pastBoundSince,
    evaluation_id: saved.evaluationId,
  };
  await db
    .insertInto('signal')
    .values({
      service: saved.service,
      environment: saved.environment,
      rule: saved.rule,
      incident_id: null,
      ...said,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['service', 'environment', 'rule'])
        .doUpdateSet(signal.opened ? { ...said, incident_id: null } : said),
    )
    .execute();
}

/** Notes the incident that a signal belongs to; null takes the note away. */
export async function linkSignal(db: Db, link: SignalKey & { incidentId: number | null }): Promise<void> {
  await db
    .updateTable('signal')
    .set({ incident_id: link.incidentId })
    .where('service', '=', link.service)
    .where('environment', '=', link.environment)
    .where('rule', '=', link.rule)
    .execute();
}

function storedSignal(row: Row<'signal'>): StoredSignal {
  return {
    service: row.service,
    environment: row.environment,
    rule: row.rule as RuleId,
    state: row.state as Signal['state'],
    since: row.since,
    pastBoundSince: row.past_bound_since,
    incidentId: row.incident_id,
    evaluationId: row.evaluation_id,
  };
}
