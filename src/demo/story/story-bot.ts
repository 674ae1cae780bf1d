import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The bot as its users run it: a process of its own, known by its environment and its address alone. */
export interface BotProcess {
  readonly url: string;
  /** True while the process runs. */
  isRunning(): boolean;
  /** Asks it to stop (SIGTERM), insists after a while, and resolves to its exit code or the signal that ended it. */
  stop(): Promise<number | string>;
}

const MAIN = join(import.meta.dirname, '../../main.ts');
const READY_MS = 60_000;
const PATIENCE_MS = 15_000;

/** Starts `src/main.ts` with this environment and nothing else, and waits until it is ready. */
export async function startBotProcess(start: {
  env: Record<string, string>;
  url: string;
  logFile: string;
}): Promise<BotProcess> {
  const { env, url, logFile } = start;
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    child.once('error', (error) => resolve(error.message));
  });
  // Whatever ends this process, its bot goes with it; only a synchronous kill works here.
  const last = () => void child.kill('SIGKILL');
  process.once('exit', last);
  void ended.then(() => process.off('exit', last));
  const bot = { url, isRunning: () => isRunning(child), stop: () => stop(child, ended) };
  try {
    await ready(child, start);
    return bot;
  } catch (thrown) {
    await bot.stop();
    throw thrown;
  }
}

/** A loopback port that nobody uses now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

async function stop(child: ChildProcess, ended: Promise<number | string>): Promise<number | string> {
  if (isRunning(child)) child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const code = await ended;
  clearTimeout(insist);
  return code;
}

async function ready(child: ChildProcess, { url, logFile }: { url: string; logFile: string }): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    if (!isRunning(child))
      throw new Error(`the bot ended at once; the end of ${logFile}:\n${tailOf(logFile)}`);
    const answered = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error(
    `the bot was not ready after ${READY_MS / 1000} s; the end of ${logFile}:\n${tailOf(logFile)}`,
  );
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');
}
