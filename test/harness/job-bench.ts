import { type MovableClock, movableClock } from '../../src/clock.ts';
import { type ConfigFile, parseConfigFile } from '../../src/config/config-file.ts';
import type { Db, OpenDatabase } from '../../src/db/database.ts';
import { createJobRunner, type JobHandler } from '../../src/db/job-runner.ts';
import { createLog, type Log } from '../../src/log.ts';
import { createTestDatabase } from './database.ts';

/** What background verbs need, on a database of its own, without Slack around it. */
export interface JobBench {
  db: Db;
  clock: MovableClock;
  log: Log;
  config: ConfigFile;
  /** Sets the clock to a time of day, so that days and intervals are where the test wants them. */
  moveTo(time: Date): void;
  advance(ms: number): void;
  configure(config: object): void;
  /** Runs the jobs that are due to their end; those that back off for long stay. */
  work(handlers: Record<string, JobHandler>): Promise<void>;
  close(): Promise<void>;
}

export async function startJobBench(): Promise<JobBench> {
  const database = await createTestDatabase();
  const opened: OpenDatabase = await database.open();
  const { db } = opened;
  const clock = movableClock();
  const log = createLog('silent');
  const bench: JobBench = {
    db,
    clock,
    log,
    config: parseConfigFile('', {}),
    moveTo: (time) => clock.set(time.getTime() - Date.now()),
    advance: (ms) => clock.set(clock.now().getTime() + ms - Date.now()),
    configure(config) {
      bench.config = parseConfigFile(JSON.stringify(config), { MODEL_TOKEN: 'model-token' });
    },
    async work(handlers) {
      const runner = createJobRunner({ db, clock, log, handlers, onBuried: async () => {}, pollMs: 20 });
      runner.start();
      await untilIdle(db);
      await runner.stop();
    },
    async close() {
      await opened.close();
      await database.drop();
    },
  };
  return bench;
}

/** Until no job is left that was tried less than three times. */
async function untilIdle(db: Db): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const waiting = await db
      .selectFrom('job')
      .select('id')
      .where('state', '=', 'ready')
      .where('attempts', '<', 3)
      .execute();
    if (waiting.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('jobs were still waiting after 30 s');
}
