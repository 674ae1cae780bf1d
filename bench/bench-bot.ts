import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startBotProcess } from '../src/demo/story/story-bot.ts';
import type { SlowVendors } from './slow-vendors.ts';

/** The one service that the bot knows. */
export const SERVICE = 'bench';
const SECRET = 'bench-signing-secret';

/** The bot in a process of its own, with stand-ins for all that it calls. */
export async function startBenchBot(vendors: SlowVendors): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'llm-incident-bench-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const env = environment({ vendors, folder, url });
  const bot = await startBotProcess({ env, url, logFile: join(folder, 'bot.log') });
  return {
    url,
    async stop() {
      await bot.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A form as Slack sends it. */
export function signedForm(form: Record<string, string>, secret = SECRET): RequestInit {
  const body = new URLSearchParams(form).toString();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature}`,
  };
  return { method: 'POST', headers, body };
}

function environment(around: { vendors: SlowVendors; folder: string; url: string }): Record<string, string> {
  const { vendors, folder, url } = around;
  const target = {
    type: 'webhook',
    url: `${vendors.url}/target`,
    secret: '${TARGET_SECRET}',
    allow_private: true,
  };
  const service = { owner: 'U0LEAD', approvers: ['U0APPROVER'], target };
  const config = join(folder, 'llm-incident.yaml');
  writeFileSync(config, JSON.stringify({ poll_seconds: 300, services: { [SERVICE]: service } }));
  return {
    PATH: process.env['PATH'] ?? '',
    PORT: new URL(url).port,
    DATA_DIR: folder,
    ...(process.env['DATABASE_URL'] === undefined ? {} : { DATABASE_URL: process.env['DATABASE_URL'] }),
    SLACK_BOT_TOKEN: 'xoxb-bench',
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: `${vendors.url}/api/`,
    LLM_INCIDENT_CONFIG: config,
    TARGET_SECRET: 'bench',
    LOG_LEVEL: 'warn',
  };
}
