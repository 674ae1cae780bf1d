import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { recordsOf } from './call-batch.ts';
import type { ServiceName } from './call-statistics-store.ts';
import type { CallStats } from './call-stats.ts';
import { statsFromJson, statsToJson } from './call-stats.ts';
import type { Stretch } from './stretch.ts';

/** How long the calls of one roll-up last. */
export type Span = 'minute' | 'hour';

/** One roll-up's place; `start` in ms. */
export interface RollupKey extends ServiceName {
  start: number;
}

export interface Rollup {
  start: number;
  stats: CallStats;
}

/** Roll-ups that start within one of the stretches, oldest first. The stretches must not overlap. */
export async function rollupsIn(
  db: Db,
  of: ServiceName & { span: Span; stretches: readonly Stretch[] },
): Promise<Rollup[]> {
  if (of.stretches.length === 0) return [];
  const { rows } = await sql<{ start: Date; stats: Partial<CallStats> }>`
    select found.start, found.stats from json_to_recordset(${timesOf(of.stretches)}::json)
      as t ("from" timestamptz, "to" timestamptz)
    cross join lateral (select start, stats from call_rollup where service = ${of.service}
      and environment = ${of.environment} and span = ${of.span} and start >= t."from" and start < t."to") found
    order by found.start`.execute(db);
  return rows.map((row) => ({ start: row.start.getTime(), stats: statsFromJson(row.stats) }));
}

/** For each stretch, in order, a number that rises whenever one of its roll-ups is counted again. */
export async function rollupVersions(
  db: Db,
  of: ServiceName & { stretches: readonly (Stretch & { span: Span })[] },
): Promise<number[]> {
  if (of.stretches.length === 0) return [];
  const { rows } = await sql<{ version: number }>`
    select coalesce((select max(changed) from call_rollup where service = ${of.service}
        and environment = ${of.environment} and span = t.span and start >= t."from" and start < t."to"), 0) as version
    from json_to_recordset(${timesOf(of.stretches)}::json)
      as t (place integer, span text, "from" timestamptz, "to" timestamptz)
    order by t.place`.execute(db);
  return rows.map((row) => row.version);
}

/** Stores what was counted; a roll-up that was stale no longer is. */
export async function saveRollups(
  db: Db,
  span: Span,
  rollups: readonly (RollupKey & { stats: CallStats })[],
): Promise<void> {
  if (rollups.length === 0) return;
  const rows = rollups.map(({ stats, ...key }) => ({
    ...keyRow(key),
    calls: stats.calls,
    stats: statsToJson(stats),
  }));
  await sql`insert into call_rollup (service, environment, span, start, calls, stats)
    select service, environment, ${span}, start, calls, stats from json_to_recordset(${recordsOf(rows)}::json)
      as t (service text, environment text, start timestamptz, calls integer, stats jsonb)
    order by service, environment, start
    on conflict (service, environment, span, start) do update set calls = excluded.calls, stats = excluded.stats,
      changed = excluded.changed`.execute(db);
}

/** Has these roll-ups counted again, also those that are not there yet. */
export async function markStale(db: Db, span: Span, keys: readonly RollupKey[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`insert into call_rollup (service, environment, span, start, calls, stats, changed)
    select distinct service, environment, ${span}, start, 0, '{}'::jsonb, 0
    from json_to_recordset(${recordsOf(keys.map(keyRow))}::json)
      as t (service text, environment text, start timestamptz)
    order by service, environment, start
    on conflict (service, environment, span, start) do update set changed = 0 where call_rollup.changed <> 0`.execute(
    db,
  );
}

/** The oldest roll-ups that must be counted again and start at or before `until`, locked to the end of the transaction. */
export async function lockStale(
  db: Db,
  of: { span: Span; until: Date; limit: number },
): Promise<RollupKey[]> {
  const { rows } = await sql<ServiceName & { start: Date }>`
    select service, environment, start from call_rollup
    where changed = 0 and span = ${of.span} and start <= ${of.until}
    order by start, service, environment limit ${of.limit} for update`.execute(db);
  return rows.map((row) => ({ ...row, start: row.start.getTime() }));
}

const keyRow = ({ service, environment, start }: RollupKey) => ({
  service,
  environment,
  start: new Date(start),
});

function timesOf(stretches: readonly Stretch[]): string {
  const rows = stretches.map((stretch, place) => ({
    ...stretch,
    place,
    from: new Date(stretch.from),
    to: new Date(stretch.to),
  }));
  return JSON.stringify(rows);
}
