import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, openDatabase } from '../src/db/database.ts';
import { migrateUp } from '../src/db/migrate.ts';

/** Runs `work` on a fresh embedded database, or on DATABASE_URL, which must be an empty one of its own. */
export async function withDatabase<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'llm-incident-bench-'));
  const database = await openDatabase({ databaseUrl: process.env['DATABASE_URL'] || undefined, dataDir });
  try {
    await migrateUp(database.db);
    return await work(database.db);
  } finally {
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
