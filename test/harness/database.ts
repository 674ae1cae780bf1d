import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { type OpenDatabase, openDatabase } from '../../src/db/database.ts';

/** Where a test's own, already migrated database is: pass it to `openDatabase` or to the bot's environment. */
export interface TestDatabase {
  env: { DATABASE_URL?: string; DATA_DIR: string };
  open(): Promise<OpenDatabase>;
  drop(): Promise<void>;
}

/** A copy of the migrated template: a directory for the embedded Postgres, a database on TEST_DATABASE_URL. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'llm-incident-test-'));
  const url = inject('testDatabaseUrl');
  if (url === '') return embedded(dataDir);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(url, `create database ${name} template llm_incident_template`);
  const databaseUrl = Object.assign(new URL(url), { pathname: `/${name}` }).toString();
  return {
    env: { DATABASE_URL: databaseUrl, DATA_DIR: dataDir },
    open: () => openDatabase({ databaseUrl, dataDir }),
    async drop() {
      await administer(url, `drop database ${name} with (force)`);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function embedded(dataDir: string): TestDatabase {
  cpSync(inject('templateDir'), join(dataDir, 'postgres'), { recursive: true });
  return {
    env: { DATA_DIR: dataDir },
    open: () => openDatabase({ dataDir }),
    drop: async () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

/** Runs one statement on the server behind `url`, in a connection of its own. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
