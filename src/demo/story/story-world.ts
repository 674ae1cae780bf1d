import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type PagerDuty, startPagerDuty } from '../pagerduty/pagerduty-double.ts';
import { HELD } from '../service/serving-reader.ts';
import { type SimulatedService, startSimulatedService } from '../service/simulated-service.ts';
import { SIMPLE_MODEL } from '../service/simulated-settings.ts';
import { type SlackWorkspace, startSlackWorkspace } from '../slack/slack-workspace.ts';
import { type BotProcess, freePort, startBotProcess } from './story-bot.ts';

export const SERVICE = 'support-answers';
export const ENVIRONMENT = 'production';
export const TARGET_SECRET = 'demo-target-secret';
export const ROLES = ['oncall', 'approver', 'lead', 'legal', 'compliance', 'comms', 'product'];

/** Everything the demo needs, on this machine: the bot and what a company has around it. */
export interface DemoWorld {
  /** Where this run keeps its config, its database, its log and its documents. */
  readonly folder: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly slack: SlackWorkspace;
  readonly pagerduty: PagerDuty;
  readonly service: SimulatedService;
  readonly bot: BotProcess;
  /** The feature obeys what the bot serves, instead of a signed webhook. */
  readonly isBuiltIn: boolean;
  /** The bot's clock, as it was last told. */
  time(): Date;
  /** Moves the bot's clock on; resolves when everything that became due was looked at. */
  advance(ms: number): Promise<Date>;
  /** The role behind a Slack user id, or the id. */
  nameOf(userId: string): string;
  /** True once somebody ends it. */
  isClosing(): boolean;
  close(): Promise<void>;
}

const SIGNING_SECRET = 'demo-signing-secret';
const INGEST_TOKEN = 'demo-ingest-token';
const PAGERDUTY_TOKEN = 'demo-pagerduty-token';
const WEBHOOK_SECRET = 'demo-webhook-secret';
/** Whose phone PagerDuty rings. */
export const ON_CALL = { id: 'PONCALL', name: 'On-call engineer', email: 'oncall@example.test' };

/** Starts it all in a fresh folder below the current directory; the same seed gives the same answers. On failure nothing is left running. */
export async function startDemoWorld({ isBuiltIn = false, seed = anySeed() } = {}): Promise<DemoWorld> {
  const folder = resolve('.demo', new Date().toISOString().replace(/[:.]/g, '-'));
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  const url = `http://127.0.0.1:${await freePort()}`;
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  let isClosing = false;
  const closeAll = async () => {
    isClosing = true;
    for (const one of opened.splice(0).reverse()) await one.close();
  };
  try {
    const slack = keep(await startSlackWorkspace({ signingSecret: SIGNING_SECRET }));
    const pagerduty = keep(await startAccount());
    const service = keep(await startFeature(url, { isBuiltIn, seed }));
    slack.connect(`${url}/slack/events`);
    pagerduty.webhooks.connect(`${url}/pagerduty/webhook`, WEBHOOK_SECRET);
    const configFile = join(folder, 'llm-incident.yaml');
    writeFileSync(configFile, configFor(slack, service, isBuiltIn));
    const logFile = join(folder, 'bot.log');
    const env = environmentFor({ slack, pagerduty, url, dataDir, configFile });
    const bot = await startBotProcess({ env, url, logFile });
    keep({ close: async () => void (await bot.stop()) });
    const clock = await followClock(url);
    const names = namesIn(slack);
    const nameOf = (userId: string) => names.get(userId) ?? userId;
    return {
      folder,
      dataDir,
      logFile,
      slack,
      pagerduty,
      service,
      bot,
      isBuiltIn,
      ...clock,
      nameOf,
      isClosing: () => isClosing,
      close: closeAll,
    };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

const namesIn = (slack: SlackWorkspace) =>
  new Map([...ROLES.map((role) => [slack.userId(role), role] as const), [slack.botUserId, 'llm-incident']]);

const startAccount = () =>
  startPagerDuty({
    token: PAGERDUTY_TOKEN,
    from: 'llm-incident@example.test',
    services: [{ id: 'PSUPPORT', name: SERVICE }],
    oncalls: [{ escalationPolicyId: 'PPOLICY', level: 1, user: ON_CALL }],
  });

/** What the built-in target serves until a mitigation says otherwise. */
const SERVED = {
  prompts: { answer: 'v13' },
  model: 'gpt-4',
  fallback: { notice: 'Our assistant is resting. People answer you meanwhile.', model: SIMPLE_MODEL },
};

const anySeed = () => Math.floor(Math.random() * 2 ** 31);

const startFeature = (ingestUrl: string, { isBuiltIn, seed }: { isBuiltIn: boolean; seed: number }) =>
  startSimulatedService({
    secret: TARGET_SECRET,
    service: SERVICE,
    environment: ENVIRONMENT,
    seed,
    ingestUrl,
    token: INGEST_TOKEN,
    ...(isBuiltIn ? { master: { url: ingestUrl, token: INGEST_TOKEN, service: SERVICE, held: HELD } } : {}),
  });

/** The file as somebody who runs the bot would write it. */
function configFor(slack: SlackWorkspace, service: SimulatedService, isBuiltIn: boolean): string {
  const id = (role: string) => [slack.userId(role)];
  const webhook = {
    type: 'webhook',
    url: service.controlUrl,
    secret: '${SUPPORT_ANSWERS_SECRET}',
    allow_private: true,
  };
  const file = {
    environment: ENVIRONMENT,
    services: {
      [SERVICE]: {
        owner: slack.userId('lead'),
        approvers: id('approver'),
        pagerduty: { service: 'PSUPPORT', escalation_policy: 'PPOLICY' },
        ...(isBuiltIn ? { target: { type: 'built-in' }, serving: SERVED } : { target: webhook }),
        rehearsal: {
          type: 'webhook',
          url: service.dryRunUrl,
          secret: '${SUPPORT_ANSWERS_SECRET}',
          allow_private: true,
          backup: { model: 'gpt-4', prompt: 'v12' },
        },
      },
    },
    contacts: {
      legal: id('legal'),
      compliance: id('compliance'),
      comms: id('comms'),
      product: id('product'),
      engineering_lead: id('lead'),
    },
  };
  return `# Written by the demo, as a person would write it. Every key is in the README.\n${stringify(file)}`;
}

function environmentFor(around: {
  slack: SlackWorkspace;
  pagerduty: PagerDuty;
  url: string;
  dataDir: string;
  configFile: string;
}): Record<string, string> {
  const { slack, pagerduty, url, dataDir, configFile } = around;
  return {
    PATH: process.env['PATH'] ?? '',
    PORT: new URL(url).port,
    DATA_DIR: dataDir,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: slack.apiUrl,
    PAGERDUTY_API_TOKEN: PAGERDUTY_TOKEN,
    PAGERDUTY_FROM: 'llm-incident@example.test',
    PAGERDUTY_WEBHOOK_SECRET: WEBHOOK_SECRET,
    PAGERDUTY_API_URL: pagerduty.url,
    PAGERDUTY_EVENTS_URL: pagerduty.url,
    LLM_INCIDENT_TOKENS: INGEST_TOKEN,
    LLM_INCIDENT_CONFIG: configFile,
    LLM_INCIDENT_TEST_CLOCK: '1',
    LOG_LEVEL: 'warn',
    SUPPORT_ANSWERS_SECRET: TARGET_SECRET,
  };
}

async function followClock(url: string): Promise<Pick<DemoWorld, 'time' | 'advance'>> {
  let time = new Date();
  const advance = async (ms: number) => {
    const answer = await fetch(`${url}/test/clock`, {
      method: 'POST',
      body: JSON.stringify({ advance_ms: Math.round(ms) }),
      signal: AbortSignal.timeout(30_000),
    });
    if (!answer.ok) throw new Error(`/test/clock answered ${answer.status}`);
    time = new Date(((await answer.json()) as { now: string }).now);
    return time;
  };
  await advance(0);
  return { time: () => time, advance };
}
