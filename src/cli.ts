import { join } from 'node:path';
import { loadConfig, loadConfigWithoutSlack } from './config/config.ts';
import { type OpenDatabase, openDatabase } from './db/database.ts';
import { migrateUp } from './db/migrate.ts';
import { ExternalError, InputError } from './errors.ts';
import { auditDatabase, auditFile, readAuditArgs } from './flow/ledger/run-audit.ts';
import type { ContainReport, ContainRequest } from './flow/mitigate/contain-at-once.ts';
import { runContain, TERMINAL_FILE } from './flow/mitigate/run-contain.ts';
import { switchOf } from './mitigation/targets/all-targets.ts';

type DatabaseCommand = (
  database: OpenDatabase,
  given: { dataDir: string; args: string[] },
) => Promise<number>;

/** Commands on the bot's own database. */
const ON_DATABASE: Record<string, DatabaseCommand> = {
  /** Migrations up. */
  migrate: async ({ db }) => {
    const done = await migrateUp(db);
    console.log(done.length === 0 ? 'The schema is up to date.' : `Migrated: ${done.join(', ')}`);
    return 0;
  },
  /** Verifies the audit chain and the ledger, names the first bad row of each, and exports both. */
  audit: async ({ db }, { dataDir, args }) => auditDatabase(db, { dataDir, ...readAuditArgs(args) }),
};

/** Commands that need no database of the bot. */
const ALONE: Record<string, (args: string[]) => Promise<number>> = {
  /** The rules over recorded calls or a source's past: what would have opened. */
  backtest: async (args) => (await import('./flow/watch/run-backtest.ts')).runBacktest(args),
  /** What an incident will need, looked at before there is one. */
  doctor: () => doctor(),
  /** Past incidents against a prompt or model that is not served yet. */
  immunity: async (args) =>
    (await import('./flow/learn/run-immunity.ts')).runImmunity(args, {
      env: process.env,
      withDatabase: (use) => withDatabase(({ db }) => use(db)),
    }),
  /** Containment when Slack is away. */
  contain: (args) =>
    runContain(args, {
      botFile: join(process.env['DATA_DIR'] || '.data', TERMINAL_FILE),
      alone: containOnDatabase,
      byHand: (service) => switchOf(loadConfigWithoutSlack(process.env).file, service),
    }),
};

async function withDatabase<T>(use: (database: OpenDatabase) => Promise<T>): Promise<T> {
  const dataDir = process.env['DATA_DIR'] || '.data';
  const database = await openDatabase({ databaseUrl: process.env['DATABASE_URL'] || undefined, dataDir });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** The packages of Slack and of charts take seconds to load, which nobody has who asks a bot that is up. */
async function containOnDatabase(request: ContainRequest): Promise<ContainReport> {
  const { CLOCK_SETTING, wireFlow } = await import('./main.ts');
  const { containAlone } = await import('./flow/mitigate/contain-alone.ts');
  return containAlone(request, { config: loadConfigWithoutSlack(process.env), CLOCK_SETTING, wireFlow });
}

/** The parts that only whoever composes may know of. */
async function doctor(): Promise<number> {
  const { misfits } = await import('./flow/misfits.ts');
  const { runDoctor } = await import('./flow/doctor/run-doctor.ts');
  const { slackToExamine } = await import('./slack/examine-slack.ts');
  const { pagerOf, webhookSecrets } = await import('./pagerduty/access.ts');
  return runDoctor({
    load: () => loadConfig(process.env, misfits),
    slack: slackToExamine,
    pager: (config) => ({ pager: pagerOf(config), webhookSecrets: webhookSecrets(config).length }),
  });
}

async function main([name = '', ...args]: string[]): Promise<number> {
  const alone = ALONE[name];
  if (alone !== undefined) return alone(args);
  const file = name === 'audit' ? readAuditArgs(args).verify : undefined;
  if (file !== undefined) return auditFile(file);
  const command = ON_DATABASE[name];
  if (command === undefined) {
    console.error(
      `Usage: node src/cli.ts ${[...Object.keys(ON_DATABASE), ...Object.keys(ALONE)].join(' | ')}`,
    );
    return 2;
  }
  const dataDir = process.env['DATA_DIR'] || '.data';
  return withDatabase((database) => command(database, { dataDir, args }));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  if (!(thrown instanceof InputError || thrown instanceof ExternalError)) throw thrown;
  console.error(thrown.message);
  process.exitCode = 1;
}
