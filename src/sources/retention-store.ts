import { sql } from 'kysely';
import type { RetentionConfig } from '../config/config-file.ts';
import type { Db } from '../db/database.ts';
import { activeServices, type ServiceName } from './call-statistics-store.ts';

const DAY_MS = 24 * 60 * 60_000;
const BATCH = 2_000;

/** How many rows went. */
export interface Pruned {
  texts: number;
  calls: number;
  rollups: number;
  evaluations: number;
  safetyEvents: number;
}

interface Page extends ServiceName {
  before: Date;
}

/**
 * Drops what is older than the policy keeps it, in small batches: texts, calls with all that belongs to them and their
 * roll-ups, and what the rules said. What an incident froze, and the calls that its evidence names, stay.
 */
export async function pruneOld(
  db: Db,
  { now, retention }: { now: Date; retention: RetentionConfig },
): Promise<Pruned> {
  const before = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const pruned: Pruned = { texts: 0, calls: 0, rollups: 0, evaluations: 0, safetyEvents: 0 };
  const evidence = await callsInEvidence(db);
  for (const service of await activeServices(db, { since: new Date(0) })) {
    const texts = { ...service, before: before(retention.content_days) };
    for await (const ids of oldCalls(db, texts)) pruned.texts += await dropTexts(db, ids);
    const calls = { ...service, before: before(retention.calls_days) };
    for await (const ids of oldCalls(db, calls)) {
      pruned.calls += await dropCalls(
        db,
        ids.filter((id) => !evidence.has(id)),
      );
    }
  }
  pruned.rollups = await dropRollups(db, before(retention.calls_days));
  pruned.safetyEvents = await dropSafetyEvents(db, before(retention.calls_days));
  pruned.evaluations = await dropEvaluations(db, before(retention.evaluations_days));
  return pruned;
}

/** Pages of ids, oldest first; whoever reads them may delete what they have. */
async function* oldCalls(db: Db, { service, environment, before }: Page): AsyncGenerator<number[]> {
  let after: { at: Date; id: number } | undefined;
  for (;;) {
    const rows = await db
      .selectFrom('call')
      .select(['id', 'at'])
      .where('service', '=', service)
      .where('environment', '=', environment)
      .where('at', '<', before)
      .$if(after !== undefined, (query) => query.where('at', '>=', after?.at ?? before))
      .$if(after !== undefined, (query) => query.where(sql<boolean>`(at, id) > (${after?.at}, ${after?.id})`))
      .orderBy('at')
      .orderBy('id')
      .limit(BATCH)
      .execute();
    if (rows.length > 0) yield rows.map((row) => row.id);
    if (rows.length < BATCH) return;
    after = rows.at(-1);
  }
}

async function dropTexts(db: Db, ids: readonly number[]): Promise<number> {
  const result = await db
    .deleteFrom('call_content')
    .where('call_id', 'in', [...ids])
    .where('frozen_for', 'is', null)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

async function dropCalls(db: Db, ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { numAffectedRows } = await sql`delete from call where id in (${sql.join(ids)}) and not exists
    (select 1 from call_content where call_id = call.id and frozen_for is not null)`.execute(db);
  return Number(numAffectedRows ?? 0);
}

async function callsInEvidence(db: Db): Promise<Set<number>> {
  const { rows } = await sql<{ id: number }>`
    select distinct (jsonb_path_query(data, '$.**.callId') #>> '{}')::bigint as id from evidence`.execute(db);
  return new Set(rows.map((row) => row.id));
}

async function dropRollups(db: Db, before: Date): Promise<number> {
  return inBatches(() =>
    sql`delete from call_rollup where ctid in
    (select ctid from call_rollup where start < ${before} limit ${BATCH})`.execute(db),
  );
}

async function dropSafetyEvents(db: Db, before: Date): Promise<number> {
  return inBatches(() =>
    sql`delete from safety_event where ctid in
    (select ctid from safety_event where noted_at < ${before} limit ${BATCH})`.execute(db),
  );
}

/** A signal names the evaluation that last changed it, however long ago that was. */
async function dropEvaluations(db: Db, before: Date): Promise<number> {
  return inBatches(() =>
    sql`delete from evaluation where ctid in
    (select ctid from evaluation where at < ${before}
      and not exists (select 1 from signal where evaluation_id = evaluation.id) order by at limit ${BATCH})`.execute(
      db,
    ),
  );
}

async function inBatches(drop: () => Promise<{ numAffectedRows?: bigint }>): Promise<number> {
  let dropped = 0;
  for (;;) {
    const rows = Number((await drop()).numAffectedRows ?? 0);
    dropped += rows;
    if (rows < BATCH) return dropped;
  }
}
