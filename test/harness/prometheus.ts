import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../src/demo/story/story-bot.ts';

/** One time series; values in the order of their times. */
export interface Series {
  name: string;
  labels?: Readonly<Record<string, string>>;
  samples: readonly (readonly [at: Date, value: number])[];
}

export interface StartedServer {
  url: string;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;

export const hasPrometheus = isOnPath('prometheus') && isOnPath('promtool');
export const hasVictoriaMetrics = isOnPath('victoria-metrics');

function isOnPath(binary: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, binary), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A counter that grows by `perStep` at every step from `from` to `to`; it starts at 0. */
export function counter(
  name: string,
  labels: Readonly<Record<string, string>>,
  grows: { from: Date; to: Date; stepMs: number; perStep: number | ((at: Date) => number) },
): Series {
  const { from, to, stepMs, perStep } = grows;
  const samples: [Date, number][] = [];
  let value = 0;
  for (let at = from.getTime(); at <= to.getTime(); at += stepMs) {
    samples.push([new Date(at), value]);
    value += typeof perStep === 'number' ? perStep : perStep(new Date(at));
  }
  return { name, labels, samples };
}

/** A real Prometheus on loopback that holds these series from its start. It scrapes nothing. */
export async function startPrometheus({ series }: { series: readonly Series[] }): Promise<StartedServer> {
  const home = mkdtempSync(join(tmpdir(), 'llm-incident-prometheus-'));
  const data = join(home, 'data');
  mkdirSync(data);
  writeFileSync(join(home, 'prometheus.yml'), 'global: {}\n');
  try {
    if (series.length > 0) backfill(series, { home, data });
  } catch (thrown) {
    rmSync(home, { recursive: true, force: true });
    throw thrown;
  }
  return startServer('prometheus', home, (port) => [
    `--config.file=${join(home, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=10y',
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ]);
}

/** A running Prometheus would see new blocks only after a minute, so they are made before its start. */
function backfill(series: readonly Series[], { home, data }: { home: string; data: string }): void {
  const file = join(home, 'series.txt');
  writeFileSync(file, openMetrics(series));
  const args = ['tsdb', 'create-blocks-from', '--max-block-duration=720h', 'openmetrics', file, data];
  execFileSync('promtool', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A real VictoriaMetrics that holds these series. */
export async function startVictoriaMetrics({
  series,
}: {
  series: readonly Series[];
}): Promise<StartedServer> {
  const home = mkdtempSync(join(tmpdir(), 'llm-incident-victoria-'));
  const server = await startServer('victoria-metrics', home, (port) => [
    `-storageDataPath=${join(home, 'data')}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-retentionPeriod=100y',
    '-search.latencyOffset=0s',
  ]);
  const lines = series.map(({ name, labels, samples }) =>
    JSON.stringify({
      metric: { __name__: name, ...labels },
      values: samples.map(([, value]) => value),
      timestamps: samples.map(([at]) => at.getTime()),
    }),
  );
  for (const [path, body] of [
    ['/api/v1/import', lines.join('\n')],
    ['/internal/force_flush', ''],
    ['/internal/resetRollupResultCache', ''],
  ] as const) {
    const answer = await fetch(`${server.url}${path}`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`victoria-metrics answered ${answer.status} to ${path}`);
  }
  return server;
}

function openMetrics(series: readonly Series[]): string {
  const lines = series.flatMap(({ name, labels = {}, samples }) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    return samples.map(
      ([at, value]) => `${name}{${pairs.join(',')}} ${numeral(value)} ${at.getTime() / 1000}`,
    );
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

const numeral = (value: number) =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';

async function startServer(
  binary: string,
  home: string,
  argsFor: (port: number) => string[],
): Promise<StartedServer> {
  const port = await freePort();
  const child = spawn(binary, argsFor(port), { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(url, child);
  } catch (thrown) {
    await stop();
    throw new Error(`${binary} did not start: ${said}`, { cause: thrown });
  }
  return { url, stop };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${url}/-/ready`).catch(() => null);
    if (answer?.ok === true) return;
    if (child.exitCode !== null || Date.now() > giveUpAt) throw new Error('it is not ready');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
