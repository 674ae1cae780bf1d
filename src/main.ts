import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Receiver } from '@slack/bolt';
import type { FastifyInstance } from 'fastify';
import { type MovableClock, movableClock } from './clock.ts';
import { type Config, loadConfig } from './config/config.ts';
import { type Db, openDatabase } from './db/database.ts';
import { createJobRunner, type JobRunner } from './db/job-runner.ts';
import { freeAllLeases } from './db/jobs.ts';
import { migrateUp } from './db/migrate.ts';
import { addToSetting, readOrSet, readSetting, writeSetting } from './db/setting-store.ts';
import { ExternalError, InputError } from './errors.ts';
import type { Flow } from './flow/flow.ts';
import { jobHandlers } from './flow/jobs.ts';
import type { Chat } from './flow/ports.ts';
import { startTicking, type Ticking } from './flow/schedule.ts';
import { settleBuried } from './flow/settle-buried.ts';
import { addHealthRoutes } from './http/health.ts';
import { addIngestRoutes } from './http/ingest.ts';
import { createServer } from './http/server.ts';
import { addTestClockRoute } from './http/test-clock.ts';
import { createLog, type Log } from './log.ts';
import type { Target } from './mitigation/target.ts';
import { webhookTarget } from './mitigation/targets/webhook.ts';
import { pagerDutyPager } from './pagerduty/pager.ts';
import { slackChat } from './slack/chat.ts';
import { createInbox, type SlackInbox } from './slack/inbox.ts';
import { registerListeners } from './slack/listeners/register.ts';
import { addSlackRoute, httpReceiver, socketReceiver } from './slack/receiver.ts';
import { createWebApi, type WebApi } from './slack/web-api.ts';

/** A running bot: where it listens, and how it is stopped without losing work. */
export interface Bot {
  url: string;
  internalUrl: string;
  stop(): Promise<void>;
}

const CLOCK_SETTING = 'test-clock-offset-ms';
const SELF_SETTING = 'slack-self';
const DRAIN_MS = 10_000;

/** Wires everything from an environment. Throws InputError listing every problem of the configuration. */
export async function startBot(env: Record<string, string | undefined>): Promise<Bot> {
  const config = loadConfig(env);
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
    const flow = wireFlow(config, { db, clock, log, chat: slack.chat, installation });
    registerListeners(slack.app, flow);
    const jobs = createJobRunner({
      db,
      clock,
      log,
      handlers: jobHandlers(flow),
      onBuried: (job, error) => settleBuried(flow, job, error),
    });
    const ticking = startTicking(flow, { jobs, sweepInbox: slack.inbox.sweep, syncClock, dataDir });
    return await serve({ config, flow, clock, slack, jobs, ticking, close: database.close });
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

interface Slack {
  app: App;
  chat: Chat;
  inbox: SlackInbox;
  receiver: Receiver;
}

async function connectSlack(config: Config, { db, log }: { db: Db; log: Log }): Promise<Slack> {
  const { SLACK_BOT_TOKEN: token, SLACK_API_URL: slackApiUrl, SLACK_APP_TOKEN: appToken } = config.env;
  const api = createWebApi({ token, slackApiUrl });
  const self = await whoAmI(api, db);
  const receiver: Receiver =
    appToken === undefined
      ? httpReceiver
      : socketReceiver(appToken, { inbox: () => inbox, slackApiUrl, log });
  const app = new App({
    receiver,
    authorize: async () => ({ botToken: token, ...self }),
    convoStore: false,
    clientOptions: { slackApiUrl, timeout: 2_500, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true },
  });
  const inbox = createInbox({ db, log, processor: app });
  return { app, chat: slackChat(api, self), inbox, receiver };
}

interface Self {
  botId: string;
  botUserId: string;
}

/** Asks Slack; while Slack is away, what it said the last time counts, so that paging and ingest start without it. */
async function whoAmI(api: WebApi, db: Db): Promise<Self> {
  try {
    const me = await api.call('auth.test', (client) => client.auth.test());
    const self = { botId: me.bot_id ?? '', botUserId: me.user_id ?? '' };
    await writeSetting(db, SELF_SETTING, self);
    return self;
  } catch (thrown) {
    const known = (await readSetting(db, SELF_SETTING)) as Self | undefined;
    if (known === undefined || !(thrown instanceof ExternalError) || !thrown.retryable) throw thrown;
    return known;
  }
}

function wireFlow(config: Config, parts: Pick<Flow, 'db' | 'clock' | 'log' | 'chat' | 'installation'>): Flow {
  const { env, file } = config;
  const targets = new Map<string, Target>();
  for (const [service, { target }] of Object.entries(file.services)) {
    if (target !== undefined)
      targets.set(service, webhookTarget(target, { service, environment: file.environment }));
  }
  const hasPagerDuty = env.PAGERDUTY_API_TOKEN !== undefined || env.PAGERDUTY_ROUTING_KEY !== undefined;
  const pager = pagerDutyPager({
    apiUrl: env.PAGERDUTY_API_URL,
    eventsUrl: env.PAGERDUTY_EVENTS_URL,
    token: env.PAGERDUTY_API_TOKEN,
    from: env.PAGERDUTY_FROM,
    routingKey: env.PAGERDUTY_ROUTING_KEY,
  });
  return {
    ...parts,
    config: file,
    pager: hasPagerDuty ? pager : null,
    targetFor: ({ service, environment }) =>
      environment === file.environment ? (targets.get(service) ?? null) : null,
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
  addHealthRoutes(inner, { db: flow.db, isDraining: () => draining });
  addIngestRoutes(inner, { db: flow.db, log: flow.log, tokens: config.tokens });
  if (config.env.LLM_INCIDENT_TEST_CLOCK === '1') addClock(inner, parts);
  const url = await outer.listen({ host, port });
  const internalUrl = inner === outer ? url : await inner.listen({ host, port: internalPort as number });
  jobs.start();
  await slack.receiver.start();
  ticking.start();
  flow.log.info({ url, internalUrl, services: Object.keys(config.file.services) }, 'llm-incident is up');

  const drain = async () => {
    draining = true;
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
