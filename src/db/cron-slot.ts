import { sql } from 'kysely';
import type { Db } from './database.ts';

/** True for the one replica that may run this slot. The row stays: a slot that is released runs twice under skew. */
export async function claimSlot(db: Db, key: string): Promise<boolean> {
  const result = await sql`insert into cron_slot (key) values (${key}) on conflict do nothing`.execute(db);
  return Number(result.numAffectedRows ?? 0) > 0;
}

export async function dropOldSlots(db: Db): Promise<void> {
  await sql`delete from cron_slot where claimed_at < clock_timestamp() - interval '2 days'`.execute(db);
}
