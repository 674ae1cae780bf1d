import { randomUUID } from 'node:crypto';
import { type MovableClock, movableClock } from '../../clock.ts';
import type { Config } from '../../config/config.ts';
import { type Db, type OpenDatabase, openDatabase } from '../../db/database.ts';
import { createJobRunner } from '../../db/job-runner.ts';
import { freeAllLeases, jobCounts } from '../../db/jobs.ts';
import { migrateUp } from '../../db/migrate.ts';
import { readOrSet, readSetting } from '../../db/setting-store.ts';
import { createLog, type Log } from '../../log.ts';
import { type AllSources, allSources } from '../../sources/all-sources.ts';
import type { Flow } from '../flow.ts';
import { jobHandlers } from '../jobs.ts';
import { type ConfiguredTargets, configuredTargets } from '../ledger/configured-targets.ts';
import { settleBuried } from '../settle-buried.ts';
import { type ContainReport, type ContainRequest, containAtOnce } from './contain-at-once.ts';
import { noChat } from './no-chat.ts';

/** Pages leave before the terminal is done; what is for Slack waits for the bot. */
const TERMINAL_JOBS = ['run-mitigation', 'page', 'page-people'];
const WAIT_MS = 30_000;
const PAGES_WITHIN_MS = 10_000;

/** What whoever composes has. */
interface Composed {
  config: Config;
  /** The setting that a moved clock is kept under. */
  CLOCK_SETTING: string;
  wireFlow(
    config: Config,
    parts: Pick<Flow, 'db' | 'clock' | 'log' | 'chat' | 'installation' | 'wake'> & {
      sources: AllSources;
      targets: ConfiguredTargets;
    },
  ): Flow;
}

/** Containment by this process itself, on the bot's database. Throws InputError when a bot holds that. */
export async function containAlone(request: ContainRequest, composed: Composed): Promise<ContainReport> {
  const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = composed.config.env;
  const database = await openDatabase({ databaseUrl, dataDir });
  try {
    return await containOn(database, request, composed);
  } finally {
    await database.close();
  }
}

async function containOn(
  { db, kind }: OpenDatabase,
  request: ContainRequest,
  { config, CLOCK_SETTING, wireFlow }: Composed,
): Promise<ContainReport> {
  await migrateUp(db);
  if (kind === 'embedded') await freeAllLeases(db);
  const clock: MovableClock = movableClock();
  clock.set(Number((await readSetting(db, CLOCK_SETTING)) ?? 0));
  const log: Log = createLog('error');
  const installation = String(await readOrSet(db, 'installation', randomUUID().slice(0, 8)));
  const sources = allSources(config.file, { db, clock });
  const targets = await configuredTargets(config.file, { db, clock, log });
  const wake = () => jobs.wake();
  const flow = wireFlow(config, { db, clock, log, chat: noChat(), installation, sources, targets, wake });
  const jobs = createJobRunner({
    ...{ db, clock, log, handlers: jobHandlers(flow) },
    onBuried: (job, error) => settleBuried(flow, job, error),
    kinds: { choose: 'only', of: TERMINAL_JOBS },
  });
  jobs.start();
  try {
    const report = await containAtOnce(flow, request, { waitMs: WAIT_MS });
    await pagesSent(db);
    return report;
  } finally {
    await jobs.stop();
    await Promise.all([targets.serving.stop(), sources.close()]);
  }
}

/** What could not be paged by then waits for the bot as well. */
async function pagesSent(db: Db): Promise<void> {
  const until = Date.now() + PAGES_WITHIN_MS;
  while (Date.now() < until) {
    const counts = await jobCounts(db);
    const isWaiting = counts.some(({ kind, state }) => state === 'ready' && TERMINAL_JOBS.includes(kind));
    if (!isWaiting) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
