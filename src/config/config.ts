import { existsSync } from 'node:fs';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { type ConfigFile, parseConfigFile, readConfigFile } from './config-file.ts';

type Environment = Record<string, string | undefined>;

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

const port = z.coerce.number().int().min(0).max(65535);
const baseUrl = (fallback: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address' })
    .default(fallback)
    .refine(
      (url) => url.startsWith('https:') || isLoopback(url),
      'http:// is for loopback only; use https://',
    );

const environment = z.object({
  SLACK_BOT_TOKEN: z.string().startsWith('xoxb-', 'must be a bot token (xoxb-…)'),
  SLACK_SIGNING_SECRET: z.string().min(1).optional(),
  SLACK_APP_TOKEN: z.string().startsWith('xapp-', 'must be an app-level token (xapp-…)').optional(),
  SLACK_API_URL: z.url().default('https://slack.com/api/'),
  PAGERDUTY_API_TOKEN: z.string().min(1).optional(),
  PAGERDUTY_FROM: z.email('must be the e-mail of a PagerDuty user').optional(),
  PAGERDUTY_ROUTING_KEY: z.string().min(1).optional(),
  PAGERDUTY_CLIENT_ID: z.string().min(1).optional(),
  PAGERDUTY_CLIENT_SECRET: z.string().min(1).optional(),
  PAGERDUTY_ACCOUNT: z
    .string()
    .regex(/^(us|eu)\.[a-z0-9-]+$/, 'must be region and subdomain, such as us.acme')
    .optional(),
  PAGERDUTY_IDENTITY_URL: baseUrl('https://identity.pagerduty.com'),
  PAGERDUTY_WEBHOOK_SECRET: z.string().min(1).optional(),
  PAGERDUTY_API_URL: baseUrl('https://api.pagerduty.com'),
  PAGERDUTY_EVENTS_URL: baseUrl('https://events.pagerduty.com'),
  LLM_INCIDENT_TOKENS: z.string().default(''),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be postgres://…')
    .optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  PORT: port.default(3000),
  INTERNAL_PORT: port.optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  LLM_INCIDENT_CONFIG: z.string().default('llm-incident.yaml'),
  LLM_INCIDENT_AUTOMATION: z.enum(['on', 'off']).default('on'),
  LLM_INCIDENT_TEST_CLOCK: z.enum(['0', '1']).default('0'),
  /** `development`: what Slack would refuse is refused before it leaves. */
  NODE_ENV: z.string().optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** What only shows when two variables are seen together; looked at whether or not each by itself is right. */
function crossProblems(env: Environment): string[] {
  const { SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, PAGERDUTY_API_TOKEN, PAGERDUTY_FROM } = env;
  const { LLM_INCIDENT_TEST_CLOCK, DATABASE_URL } = env;
  const problems: string[] = [];
  if (SLACK_APP_TOKEN === undefined && SLACK_SIGNING_SECRET === undefined) {
    problems.push('SLACK_SIGNING_SECRET: is needed for HTTP mode (or set SLACK_APP_TOKEN for Socket Mode)');
  }
  if (PAGERDUTY_API_TOKEN !== undefined && PAGERDUTY_FROM === undefined) {
    problems.push('PAGERDUTY_FROM: is needed with PAGERDUTY_API_TOKEN: the e-mail of a PagerDuty user');
  }
  problems.push(...appProblems(env));
  if (LLM_INCIDENT_TEST_CLOCK === '1' && DATABASE_URL !== undefined && !isLoopback(DATABASE_URL)) {
    problems.push('LLM_INCIDENT_TEST_CLOCK: is refused because DATABASE_URL is not on loopback');
  }
  return problems;
}

const APP = [
  'PAGERDUTY_CLIENT_ID',
  'PAGERDUTY_CLIENT_SECRET',
  'PAGERDUTY_ACCOUNT',
  'PAGERDUTY_FROM',
] as const;

/** A scoped app of PagerDuty is named whole or not at all. */
function appProblems(env: Environment): string[] {
  if (env['PAGERDUTY_CLIENT_ID'] === undefined && env['PAGERDUTY_CLIENT_SECRET'] === undefined) return [];
  return APP.filter((name) => env[name] === undefined).map(
    (name) => `${name}: is needed for the PagerDuty app`,
  );
}

export interface Config {
  env: z.infer<typeof environment>;
  /** Bearer tokens that open the ingest and metrics routes; empty means that these answer 401. */
  tokens: string[];
  file: ConfigFile;
}

/**
 * Environment and config file, checked once; `misfits` says what of the file does not fit what else there is. Throws
 * InputError that lists every problem of all of them.
 */
export function loadConfig(env: Environment, misfits: (file: ConfigFile) => string[] = () => []): Config {
  const problems: string[] = [];
  const parsed = environment.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${wording(issue)}`);
  }
  problems.push(...crossProblems(withoutEmpty(env)));
  const path = env['LLM_INCIDENT_CONFIG'] || 'llm-incident.yaml';
  const file = readFile(path, env, problems);
  if (file !== null) problems.push(...misfits(file).map((problem) => `${path}: ${problem}`));
  if (!parsed.success || file === null || problems.length > 0) throw new InputError(problems);
  const tokens = parsed.data.LLM_INCIDENT_TOKENS.split(',').map((token) => token.trim());
  return { env: parsed.data, tokens: tokens.filter((token) => token !== ''), file };
}

/** For what never speaks to Slack, whose variables need not be set then. */
export function loadConfigWithoutSlack(env: Environment, misfits?: (file: ConfigFile) => string[]): Config {
  return loadConfig(
    { SLACK_BOT_TOKEN: 'xoxb-none', SLACK_SIGNING_SECRET: 'none', ...withoutEmpty(env) },
    misfits,
  );
}

function readFile(path: string, env: Environment, problems: string[]): ConfigFile | null {
  try {
    return existsSync(path) ? readConfigFile(path, env) : parseConfigFile('', env);
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    problems.push(...thrown.problems);
    return null;
  }
}

function wording(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is not set' : issue.message;
}

function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.has(new URL(url).hostname);
}
