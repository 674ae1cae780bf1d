import { sql } from 'kysely';
import type { Db } from './database.ts';

export async function readSetting(db: Db, key: string): Promise<unknown> {
  const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst();
  return row?.value;
}

/** The setting, or `value` when it has none yet; of two that write at once both get the first. */
export async function readOrSet(db: Db, key: string, value: unknown): Promise<unknown> {
  await db
    .insertInto('setting')
    .values({ key, value: JSON.stringify(value) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return readSetting(db, key);
}

/** Adds to a number, from 0 when there is none yet, and returns the sum; replicas that add at once lose nothing. */
export async function addToSetting(db: Db, key: string, amount: number): Promise<number> {
  const { rows } = await sql<{ value: number }>`
    insert into setting (key, value) values (${key}, to_jsonb(${amount}::float8))
    on conflict (key) do update set value = to_jsonb((setting.value #>> '{}')::float8 + ${amount}::float8)
    returning value`.execute(db);
  return rows[0]?.value ?? amount;
}

export async function writeSetting(db: Db, key: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  await db
    .insertInto('setting')
    .values({ key, value: text })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: text }))
    .execute();
}
