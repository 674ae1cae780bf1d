import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PagerDuty,
  type PagerDutyOptions,
  startPagerDuty,
} from '../../src/demo/pagerduty/pagerduty-double.ts';
import { type SimulatedService, startSimulatedService } from '../../src/demo/service/simulated-service.ts';
import {
  type SlackWorkspace,
  startSlackWorkspace,
  type WorkspaceOptions,
} from '../../src/demo/slack/slack-workspace.ts';
import { freePort } from '../../src/demo/story/story-bot.ts';
import { type Bot, startBot } from '../../src/main.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

export const TOKEN = 'ingest-token';
export const SERVICE = 'support-answers';
/** Takes events into PagerDuty; the bot does not know it. */
export const ROUTING_KEY = 'R0123456789abcdef0123456789abcde';
const SIGNING_SECRET = 'signing-secret';

/** The bot and everything around it, each at the wire. */
export interface World {
  slack: SlackWorkspace;
  pagerduty: PagerDuty;
  service: SimulatedService;
  database: TestDatabase;
  env: Record<string, string>;
  url: string;
  /** Moves the bot's clock and waits until everything that became due was looked at. */
  advance(ms: number): Promise<Date>;
  now(): Promise<Date>;
  /** Stops the bot and starts it again on the same database. */
  restart(): Promise<void>;
  /** The bot in a process of its own instead, so that it can be killed. */
  spawn(): Promise<ChildProcess>;
  /** Runs in the bot's database; only while the bot is stopped when that is the embedded one. */
  stopBot(): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  pagerduty?: boolean;
  environment?: string;
  config?: object;
  target?: boolean;
  start?: boolean;
  usergroups?: WorkspaceOptions['usergroups'];
  /** What else the PagerDuty account holds. */
  account?: Partial<PagerDutyOptions>;
  /** More of the bot's environment; empty: not set. */
  env?: Record<string, string>;
}

/** Starts a world of its own: a workspace with roles, PagerDuty, one simulated service, and the bot in this process. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const database = await createTestDatabase();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { usergroups = [] } = options;
  const slack = await startSlackWorkspace({ signingSecret: SIGNING_SECRET, usergroups });
  slack.connect(`${url}/slack/events`);
  const pagerduty = await startPagerDuty({
    token: 'pd-token',
    from: 'bot@example.test',
    routingKey: ROUTING_KEY,
    services: [{ id: 'PSVC1' }],
    oncalls: [
      {
        escalationPolicyId: 'PPOL1',
        level: 1,
        user: { id: 'PUSR1', name: 'On-call engineer', email: 'oncall@example.test' },
      },
    ],
    ...options.account,
  });
  const environment = options.environment ?? 'production';
  const service = await startSimulatedService({
    secret: 'target-secret',
    service: SERVICE,
    environment,
    seed: 7,
    ingestUrl: url,
    token: TOKEN,
  });
  const configPath = join(database.env.DATA_DIR, 'llm-incident.yaml');
  writeFileSync(configPath, JSON.stringify(configFor(options, { slack, service, environment })));
  const env: Record<string, string> = {
    ...database.env,
    PORT: String(port),
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: slack.apiUrl,
    LLM_INCIDENT_TOKENS: TOKEN,
    LLM_INCIDENT_CONFIG: configPath,
    LLM_INCIDENT_TEST_CLOCK: '1',
    TARGET_SECRET: 'target-secret',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...(options.pagerduty === false ? {} : pagerDutyEnv(pagerduty)),
    ...options.env,
  };
  return assembleWorld({ slack, pagerduty, service, database, env, url }, options.start ?? true);
}

function pagerDutyEnv(pagerduty: PagerDuty): Record<string, string> {
  return {
    PAGERDUTY_API_TOKEN: 'pd-token',
    PAGERDUTY_FROM: 'bot@example.test',
    PAGERDUTY_API_URL: pagerduty.url,
    PAGERDUTY_EVENTS_URL: pagerduty.url,
  };
}

function configFor(
  options: WorldOptions,
  around: { slack: SlackWorkspace; service: SimulatedService; environment: string },
): object {
  const { slack, service, environment } = around;
  const target = {
    type: 'webhook',
    url: service.controlUrl,
    secret: '${TARGET_SECRET}',
    allow_private: true,
  };
  return {
    environment,
    // Tests that hold up or fail the next request to a target mean their own, not a look at what it serves.
    watch_targets_seconds: 3600,
    services: {
      [SERVICE]: {
        owner: slack.userId('lead'),
        approvers: [slack.userId('approver')],
        pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' },
        ...(options.target === false ? {} : { target }),
      },
    },
    contacts: { legal: [slack.userId('legal')], engineering_lead: [slack.userId('lead')] },
    ...options.config,
  };
}

type Around = Pick<World, 'slack' | 'pagerduty' | 'service' | 'database' | 'env' | 'url'>;

async function assembleWorld(around: Around, start: boolean): Promise<World> {
  let bot: Bot | undefined;
  let child: ChildProcess | undefined;
  const startHere = async () => {
    bot = await startBot(around.env);
    // Then the first look at what the targets serve is over, and the next an hour away: a test's mishaps are its own.
    const { LLM_INCIDENT_TEST_CLOCK: hasClock, INTERNAL_PORT: other } = around.env;
    if (hasClock === '1' && other === undefined) await moveClock(around.url, 0);
  };
  const stopBot = async () => {
    await bot?.stop();
    bot = undefined;
    if (child?.exitCode === null && child.signalCode === null) await endChild(child);
    child = undefined;
  };
  const advance = (ms: number) => moveClock(around.url, ms);
  if (start) await startHere();
  return {
    ...around,
    advance,
    now: () => advance(0),
    stopBot,
    async restart() {
      await stopBot();
      await startHere();
    },
    async spawn() {
      await stopBot();
      child = await spawnBot(around);
      return child;
    },
    async close() {
      await stopBot();
      await around.slack.close();
      await around.pagerduty.close();
      await around.service.close();
      await around.database.drop();
    },
  };
}

async function moveClock(url: string, ms: number): Promise<Date> {
  const answer = await fetch(`${url}/test/clock`, {
    method: 'POST',
    body: JSON.stringify({ advance_ms: ms }),
  });
  if (!answer.ok) throw new Error(`/test/clock answered ${answer.status}`);
  return new Date(((await answer.json()) as { now: string }).now);
}

async function spawnBot({ env, url }: Around): Promise<ChildProcess> {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [main], {
    env: { ...env, PATH: process.env['PATH'] },
    stdio: 'inherit',
  });
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the bot ended with ${child.exitCode}`);
    const ready = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return child;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the bot did not get ready in 60 s');
}

function endChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
