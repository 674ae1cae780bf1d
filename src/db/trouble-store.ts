import type { Db } from './database.ts';
import type { Row } from './schema.ts';

/** Something of the bot's own that does not work: a source, a rule, a query. `key` says which. */
export interface Trouble {
  key: string;
  problem: string;
}

/**
 * Notes what is wrong now. Returns the troubles that are new: each is told once while it lasts, over all
 * replicas.
 */
export async function noteTroubles(db: Db, troubles: readonly Trouble[], now: Date): Promise<Trouble[]> {
  const unique = [...new Map(troubles.map((trouble) => [trouble.key, trouble])).values()];
  if (unique.length === 0) return [];
  const rows = await db
    .insertInto('trouble')
    .values(
      unique
        .toSorted((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ key, problem }) => ({ key, problem, since: now, last_at: now, told_at: null })),
    )
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((eb) => ({
        last_at: eb.ref('excluded.last_at'),
        problem: eb.ref('excluded.problem'),
      })),
    )
    .returning(['key', 'problem', 'told_at'])
    .execute();
  const fresh = rows.filter((row) => row.told_at === null);
  if (fresh.length === 0) return [];
  const told = await db
    .updateTable('trouble')
    .set({ told_at: now })
    .where(
      'key',
      'in',
      fresh.map((row) => row.key),
    )
    .where('told_at', 'is', null)
    .returning(['key', 'problem'])
    .execute();
  return told;
}

/** Takes away what has not been seen since `since`, and returns it: it works again. */
export async function endTroubles(db: Db, { unseenSince }: { unseenSince: Date }): Promise<Trouble[]> {
  return db.deleteFrom('trouble').where('last_at', '<', unseenSince).returning(['key', 'problem']).execute();
}

export async function troublesNow(db: Db): Promise<Row<'trouble'>[]> {
  return db.selectFrom('trouble').selectAll().orderBy('since').orderBy('key').execute();
}
