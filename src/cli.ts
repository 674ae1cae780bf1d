import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenDatabase, openDatabase } from './db/database.ts';
import { migrateUp } from './db/migrate.ts';
import { InputError } from './errors.ts';
import { verifyChain } from './mitigation/audit.ts';
import { wholeTrail } from './mitigation/audit-store.ts';

type Command = (database: OpenDatabase, dataDir: string) => Promise<number>;

const COMMANDS: Record<string, Command> = {
  /** Migrations up. */
  migrate: async ({ db }) => {
    const done = await migrateUp(db);
    console.log(done.length === 0 ? 'The schema is up to date.' : `Migrated: ${done.join(', ')}`);
    return 0;
  },
  /** Verifies the audit chain; names the first bad row. */
  audit: async ({ db }, dataDir) => {
    const headFile = join(dataDir, 'audit-head.json');
    const outsideHead = existsSync(headFile) ? JSON.parse(readFileSync(headFile, 'utf8')) : null;
    const verdict = verifyChain(await wholeTrail(db), outsideHead);
    if (verdict.kind === 'broken') {
      console.error(`The audit chain is broken at row ${verdict.seq}: ${verdict.problem}.`);
      return 1;
    }
    console.log(`The audit chain is intact: ${verdict.rows} rows, head ${verdict.head}.`);
    return 0;
  },
};

async function main(name: string | undefined): Promise<number> {
  const command = name === undefined ? undefined : COMMANDS[name];
  if (command === undefined) {
    console.error(`Usage: node src/cli.ts ${Object.keys(COMMANDS).join(' | ')}`);
    return 2;
  }
  const dataDir = process.env['DATA_DIR'] || '.data';
  const database = await openDatabase({ databaseUrl: process.env['DATABASE_URL'] || undefined, dataDir });
  try {
    return await command(database, dataDir);
  } finally {
    await database.close();
  }
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (thrown) {
  if (!(thrown instanceof InputError)) throw thrown;
  console.error(thrown.message);
  process.exitCode = 1;
}
