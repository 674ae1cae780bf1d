import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import type { Db } from './database.ts';

const FOLDER = path.join(import.meta.dirname, '../../migrations');

/** Brings the schema up to date; replicas that start together wait for one another. Throws what a migration threw. */
export async function migrateUp(db: Db): Promise<string[]> {
  const { error, results } = await migrator(db).migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** Takes every migration back, newest first; for tests of `down` and for a fresh start. */
export async function migrateDown(db: Db): Promise<string[]> {
  const undone: string[] = [];
  for (;;) {
    const { error, results } = await migrator(db).migrateDown();
    if (error !== undefined) throw error;
    if (results === undefined || results.length === 0) return undone;
    undone.push(...results.map((result) => result.migrationName));
  }
}

function migrator(db: Db): Migrator {
  return new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder: FOLDER }) });
}
