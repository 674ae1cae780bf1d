import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenDatabase, openDatabase } from './db/database.ts';
import { migrateUp } from './db/migrate.ts';
import { ExternalError, InputError } from './errors.ts';
import { runBacktest } from './flow/run-backtest.ts';
import { verifyChain } from './mitigation/audit.ts';
import { wholeTrail } from './mitigation/audit-store.ts';

type DatabaseCommand = (database: OpenDatabase, dataDir: string) => Promise<number>;

/** Commands on the bot's own database. */
const ON_DATABASE: Record<string, DatabaseCommand> = {
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

/** Commands that need no database of the bot. */
const ALONE: Record<string, (args: string[]) => Promise<number>> = {
  /** The rules over recorded calls or a source's past: what would have opened. */
  backtest: runBacktest,
};

async function main([name = '', ...args]: string[]): Promise<number> {
  const alone = ALONE[name];
  if (alone !== undefined) return alone(args);
  const command = ON_DATABASE[name];
  if (command === undefined) {
    console.error(
      `Usage: node src/cli.ts ${[...Object.keys(ON_DATABASE), ...Object.keys(ALONE)].join(' | ')}`,
    );
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
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  if (!(thrown instanceof InputError || thrown instanceof ExternalError)) throw thrown;
  console.error(thrown.message);
  process.exitCode = 1;
}
