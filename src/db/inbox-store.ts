import { sql } from 'kysely';
import type { Db } from './database.ts';

export interface Delivery {
  key: string;
  kind: string;
  body: Record<string, unknown>;
}

/** Longest that one delivery may be worked on before another process takes it up. */
const HOLD_SECONDS = 20;
const MAX_ATTEMPTS = 5;

/** Writes the delivery down and takes it; false when the same delivery is here already, so nothing is to be done. */
export async function receive(db: Db, delivery: Delivery): Promise<boolean> {
  const result = await sql`insert into inbox (key, kind, body, held_until)
    values (${delivery.key}, ${delivery.kind}, ${JSON.stringify(delivery.body)},
      clock_timestamp() + make_interval(secs => ${HOLD_SECONDS}))
    on conflict (key) do nothing`.execute(db);
  return Number(result.numAffectedRows ?? 0) > 0;
}

export async function settle(db: Db, key: string): Promise<void> {
  await sql`update inbox set state = 'done' where key = ${key}`.execute(db);
}

/** Leaves the delivery to be taken up again after `delayMs`, or buries it when it failed too often. */
export async function setBack(
  db: Db,
  failed: { key: string; error: string; delayMs: number },
): Promise<void> {
  await sql`update inbox set last_error = ${failed.error},
      state = case when attempts >= ${MAX_ATTEMPTS} then 'dead' else state end,
      held_until = clock_timestamp() + make_interval(secs => ${failed.delayMs / 1000}::float8)
    where key = ${failed.key} and state = 'received'`.execute(db);
}

/** Takes up to `limit` deliveries that someone received and did not finish. */
export async function takeUnfinished(db: Db, limit: number): Promise<(Delivery & { attempts: number })[]> {
  const result = await sql<Delivery & { attempts: number }>`update inbox
    set attempts = attempts + 1, held_until = clock_timestamp() + make_interval(secs => ${HOLD_SECONDS})
    where key in (select key from inbox where state = 'received' and held_until < clock_timestamp()
      order by received_at limit ${limit} for update skip locked)
    returning key, kind, body, attempts`.execute(db);
  return result.rows;
}
