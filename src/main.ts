import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type MovableClock, movableClock } from './clock.ts';
import { type Config, loadConfig } from './config/config.ts';
import { signOffWarnings } from './config/stakeholders.ts';
import { openDatabase } from './db/database.ts';
import { createJobRunner, type JobRunner, together } from './db/job-runner.ts';
import { freeAllLeases, type Job } from './db/jobs.ts';
import { migrateUp } from './db/migrate.ts';
import { addToSetting, readOrSet, readSetting } from './db/setting-store.ts';
import { ExternalError, InputError } from './errors.ts';
import type { Flow } from './flow/flow.ts';
import { jobHandlers, MODEL_JOBS, URGENT_JOBS } from './flow/jobs.ts';
import { type ConfiguredTargets, configuredTargets } from './flow/ledger/configured-targets.ts';
import type { ServingSnapshot } from './flow/ledger/serving-snapshot.ts';
import { misfits } from './flow/misfits.ts';
import { TERMINAL_FILE } from './flow/mitigate/run-contain.ts';
import type { PageEvent } from './flow/page/page-event.ts';
import { receivePageEvent } from './flow/page/take-page-event.ts';
import { reconcileLiveRooms } from './flow/room/reconcile-room.ts';
import { startTicking, type Ticking } from './flow/schedule.ts';
import { settleBuried } from './flow/settle-buried.ts';
import { tellWarnings } from './flow/watch/tell-warnings.ts';
import { addAlertRoutes } from './http/alerts.ts';
import { addChangesRoute } from './http/changes.ts';
import { addCheckRoute } from './http/check.ts';
import { addContainRoute, announceTo, newTerminalToken } from './http/contain.ts';
import { addHealthRoutes } from './http/health.ts';
import { addIngestRoutes } from './http/ingest.ts';
import { addMetricsRoute } from './http/metrics.ts';
import { addOfrepRoutes } from './http/ofrep.ts';
import { createServer } from './http/server.ts';
import { addTestClockRoute } from './http/test-clock.ts';
import { createLog } from './log.ts';
import { pagerOf, webhookSecrets } from './pagerduty/access.ts';
import { addPagerDutyRoute } from './pagerduty/webhook.ts';
import { connectSlack, type Slack } from './slack/connect.ts';
import { registerListeners } from './slack/listeners/register.ts';
import { addSlackRoute } from './slack/receiver.ts';
import { type AllSources, allSources } from './sources/all-sources.ts';
import { type CheckCounts, createCheckCounts } from './sources/check-count-store.ts';

/** A running bot: where it listens, and how it is stopped without losing work. */
export interface Bot {
  url: string;
  internalUrl: string;
  stop(): Promise<void>;
}

export const CLOCK_SETTING = 'test-clock-offset-ms';
const DRAIN_MS = 10_000;

/** Wires everything from an environment. Throws InputError listing every problem of the configuration. */
export async function startBot(env: Record<string, string | undefined>): Promise<Bot> {
  const config = loadConfig(env, misfits);
  const log = createLog(config.env.LOG_LEVEL);
  const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = config.env;
  mkdirSync(dataDir, { recursive: true });
  const database = await openDatabase({ databaseUrl, dataDir });
  const { db } = database;
  try {
    await migrateUp(db);
    if (database.kind === 'embedded') await freeAllLeases(db);
    const clock = movableClock();
    const syncClock = async () => clock.set(Number((await readSetting(db, CLOCK_SETTING)) ?? 0));
    await syncClock();
    const slack = await connectSlack(config, { db, log });
    const installation = String(await readOrSet(db, 'installation', randomUUID().slice(0, 8)));
    const sources = allSources(config.file, { db, clock });
    const targets = await configuredTargets(config.file, { db, clock, log });
    const wake = () => jobs.wake();
    const flow = wireFlow(config, { db, clock, log, chat: slack.chat, installation, sources, targets, wake });
    registerListeners(slack.app, flow);
    const running = {
      db,
      clock,
      log,
      handlers: jobHandlers(flow),
      onBuried: (job: Job, error: string) => settleBuried(flow, job, error),
    };
    const jobs = together([
      createJobRunner({ ...running, kinds: { choose: 'others', of: [...MODEL_JOBS, ...URGENT_JOBS] } }),
      createJobRunner({ ...running, kinds: { choose: 'only', of: URGENT_JOBS } }),
      createJobRunner({ ...running, kinds: { choose: 'only', of: MODEL_JOBS } }),
    ]);
    const counts = createCheckCounts();
    const ticking = startTicking(flow, { jobs, sweepInbox: slack.inbox.sweep, syncClock, dataDir, counts });
    const close = async () => {
      await targets.serving.stop();
      await sources.close();
      await database.close();
    };
    const { serving } = targets;
    return await serve({ config, flow, clock, slack, jobs, ticking, counts, serving, close });
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

type Wired = Pick<Flow, 'db' | 'clock' | 'log' | 'chat' | 'installation' | 'wake'> & {
  sources: AllSources;
  targets: ConfiguredTargets;
};

/** What the verbs need; the terminal has the same without Slack. */
export function wireFlow(config: Config, { sources, targets, ...parts }: Wired): Flow {
  const { env, file } = config;
  return {
    ...parts,
    config: file,
    automation: env.LLM_INCIDENT_AUTOMATION,
    metricSourceFor: (question) => sources.sourceFor(question),
    pager: pagerOf(config),
    targetFor: (about) => targets.targetFor(about),
    documentsDir: join(env.DATA_DIR, 'documents'),
  };
}

interface Parts {
  config: Config;
  flow: Flow;
  clock: MovableClock;
  slack: Slack;
  jobs: JobRunner;
  ticking: Ticking;
  counts: CheckCounts;
  serving: ServingSnapshot;
  close(): Promise<void>;
}

async function serve(parts: Parts): Promise<Bot> {
  const { config, flow, slack, jobs, ticking } = parts;
  const {
    HOST: host,
    PORT: port,
    INTERNAL_PORT: internalPort,
    SLACK_SIGNING_SECRET: signingSecret,
  } = config.env;
  let draining = false;
  const outer = createServer();
  const inner = internalPort === undefined ? outer : createServer();
  if (signingSecret !== undefined) addSlackRoute(outer, { inbox: slack.inbox, signingSecret, log: flow.log });
  const receive = async (event: PageEvent) => {
    await receivePageEvent(flow, event);
    jobs.wake();
  };
  addPagerDutyRoute(outer, { secrets: webhookSecrets(config), log: flow.log, receive });
  addHealthRoutes(inner, { db: flow.db, isDraining: () => draining });
  addInnerRoutes(inner, parts);
  const token = newTerminalToken();
  addContainRoute(inner, { flow, token });
  if (config.env.LLM_INCIDENT_TEST_CLOCK === '1') addClock(inner, parts);
  const url = await outer.listen({ host, port });
  const internalUrl = inner === outer ? url : await inner.listen({ host, port: internalPort as number });
  const withdraw = announceTo(join(config.env.DATA_DIR, TERMINAL_FILE), { url: internalUrl, token });
  jobs.start();
  await slack.receiver.start();
  ticking.start();
  await reconcileLiveRooms(flow);
  await tellWarnings(flow, signOffWarnings(config.file));
  flow.log.info({ url, internalUrl, services: Object.keys(config.file.services) }, 'llm-incident is up');

  const drain = async () => {
    draining = true;
    withdraw();
    await slack.receiver.stop();
    await outer.close();
    if (inner !== outer) await inner.close();
    await ticking.stop();
    await within(DRAIN_MS, Promise.all([slack.inbox.drained(), jobs.stop()]));
    await parts.close();
    flow.log.info('llm-incident has stopped');
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= drain();
    return stopping;
  };
  return { url, internalUrl, stop };
}

/** What applications, gateways and monitoring call with a bearer token. */
function addInnerRoutes(server: FastifyInstance, { config, flow, clock, counts, serving }: Parts): void {
  const { tokens } = config;
  const { db, log } = flow;
  const { environment, services } = flow.config;
  const acceptedTimes = () => ({ now: clock.now(), keptDays: flow.config.retention.calls_days });
  addIngestRoutes(server, { db, log, tokens, acceptedTimes });
  addAlertRoutes(server, { flow, tokens });
  addChangesRoute(server, { flow, tokens });
  addMetricsRoute(server, { flow, tokens });
  const { blockedFor } = serving;
  addCheckRoute(server, { tokens, log, environment, services, counts, blockedFor, now: () => clock.now() });
  addOfrepRoutes(server, { tokens, environment, snapshot: serving });
}

function addClock(server: FastifyInstance, { flow, clock, ticking, jobs }: Parts): void {
  addTestClockRoute(server, async (ms) => {
    clock.set(await addToSetting(flow.db, CLOCK_SETTING, ms));
    await ticking.now();
    jobs.wake();
    return clock.now();
  });
}

/** Waits for `work`, but not for ever: what is not done by then is in a row and goes on after the next start. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

async function main(): Promise<void> {
  try {
    const bot = await startBot(process.env);
    const leave = () => void bot.stop().then(() => process.exit(0));
    process.once('SIGTERM', leave);
    process.once('SIGINT', leave);
  } catch (thrown) {
    if (!(thrown instanceof InputError || thrown instanceof ExternalError)) throw thrown;
    const problems = thrown instanceof InputError ? thrown.problems : [thrown.message];
    console.error(`llm-incident cannot start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    process.exit(1);
  }
}

if (import.meta.main) await main();
