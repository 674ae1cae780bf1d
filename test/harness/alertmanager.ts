import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../src/demo/story/story-bot.ts';
import { ROUTING_KEY, TOKEN, type World } from './bot.ts';

const BINARIES = ['prometheus-alertmanager', 'alertmanager'];
const READY_WITHIN_MS = 20_000;

/** The real Alertmanager on this machine, or nothing. */
export const alertmanagerBinary = BINARIES.find((binary) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, binary), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }),
);

/** Starts it with one receiver that pages through PagerDuty and tells the bot, as the README advises. */
export async function startAlertmanager(
  binary: string,
  { url, pagerduty }: Pick<World, 'url' | 'pagerduty'>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), 'llm-incident-alertmanager-'));
  const webhook = {
    url: `${url}/alerts/alertmanager`,
    send_resolved: true,
    http_config: { authorization: { type: 'Bearer', credentials: TOKEN } },
  };
  const receiver = {
    name: 'on-call',
    webhook_configs: [webhook],
    pagerduty_configs: [
      { routing_key: ROUTING_KEY, url: `${pagerduty.url}/v2/enqueue`, severity: 'critical' },
    ],
  };
  const route = { receiver: 'on-call', group_by: ['service'], group_wait: '0s', group_interval: '1s' };
  writeFileSync(join(home, 'alertmanager.yml'), JSON.stringify({ route, receivers: [receiver] }));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    binary,
    [
      `--config.file=${join(home, 'alertmanager.yml')}`,
      `--storage.path=${join(home, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilReady(`http://${address}`, () => child.exitCode);
  return {
    url: `http://${address}`,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, exitCode: () => number | null): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (exitCode() !== null) throw new Error(`Alertmanager ended with ${exitCode()}`);
    const ready = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Alertmanager did not get ready in ${READY_WITHIN_MS / 1000} s`);
}
