import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../src/demo/story/story-bot.ts';
import { administer } from './database.ts';

const ADMIN_TOKEN = '*:*.admin-for-tests';
const CLIENT_TOKEN = 'default:development.client-for-tests';
const READY_WITHIN_MS = 180_000;

/** As much of `unleash-client` as is used. */
interface UnleashClient {
  isEnabled(flag: string, context: { userId: string }): boolean;
  destroy(): void;
}

export interface RealUnleash {
  url: string;
  token: string;
  /** Sets the scene; throws what the server says. */
  admin(method: 'POST' | 'GET', path: string, body?: unknown): Promise<unknown>;
  /** Unleash's own SDK, synchronised. */
  client(): Promise<UnleashClient>;
  stop(): Promise<void>;
}

/**
 * Starts unleash-server of the folder UNLEASH_PATH (scripts/install-unleash.ts makes one) on a new database of
 * UNLEASH_DATABASE_URL, or says why it cannot.
 */
export async function startRealUnleash(): Promise<RealUnleash | string> {
  const folder = process.env['UNLEASH_PATH'] ?? '';
  const databaseUrl = process.env['UNLEASH_DATABASE_URL'] ?? '';
  const script = join(folder, 'node_modules/unleash-server/dist/server.js');
  if (folder === '' || !existsSync(script))
    return 'the real Unleash needs UNLEASH_PATH, a folder made by scripts/install-unleash.ts';
  if (databaseUrl === '') return 'the real Unleash needs UNLEASH_DATABASE_URL, a Postgres of yours';
  const name = `unleash_${randomUUID().replaceAll('-', '')}`;
  await administer(databaseUrl, `create database ${name}`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, [script], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: Object.assign(new URL(databaseUrl), { pathname: `/${name}` }).toString(),
      DATABASE_SSL: 'false',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(port),
      INIT_ADMIN_API_TOKENS: ADMIN_TOKEN,
      INIT_CLIENT_API_TOKENS: CLIENT_TOKEN,
      CHECK_VERSION: 'false',
      SEND_TELEMETRY: 'false',
      LOG_LEVEL: 'fatal',
    },
    stdio: 'ignore',
  });
  const stop = async () => {
    await ended(server);
    await administer(databaseUrl, `drop database ${name} with (force)`);
  };
  try {
    await healthy(url, server);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { url, token: ADMIN_TOKEN, admin: adminOf(url), client: () => clientOf(folder, url), stop };
}

const adminOf =
  (url: string): RealUnleash['admin'] =>
  async (method, path, body) => {
    const answer = await fetch(`${url}/api/admin${path}`, {
      method,
      headers: { authorization: ADMIN_TOKEN, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

async function clientOf(folder: string, url: string): Promise<UnleashClient> {
  const { startUnleash } = createRequire(`${folder}/`)('unleash-client') as {
    startUnleash(options: object): Promise<UnleashClient>;
  };
  const customHeaders = { Authorization: CLIENT_TOKEN };
  const options = { url: `${url}/api/`, appName: 'test', customHeaders, disableMetrics: true };
  return startUnleash({ ...options, refreshInterval: 200 });
}

async function healthy(url: string, server: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok === true) return;
    if (server.exitCode !== null) throw new Error(`unleash-server ended with ${server.exitCode}`);
    if (Date.now() > deadlineMs) throw new Error('unleash-server did not become healthy');
    await pause(200);
  }
}

function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    server.once('exit', () => resolve());
    server.kill('SIGKILL');
  });
}
