import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/** Takes pictures of pages that this program wrote. */
export interface Camera {
  /** A PNG of the element `#picture` of that HTML, seen on a screen so many CSS pixels wide. */
  picture(html: string, widthPx: number): Promise<Buffer>;
  close(): Promise<void>;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ELSEWHERE = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--hide-scrollbars',
  '--remote-debugging-pipe',
];
/** Dense enough for a phone, and small enough for a repository. */
const DENSITY = 1.5;
const TALLEST_PX = 6_000;

/** Where a Chromium is: `CHROMIUM_PATH`, else the first on PATH; null without one. */
export function findChromium(env: NodeJS.ProcessEnv): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const { CHROMIUM_PATH: given } = env;
  return (given === undefined ? [...places, ...ELSEWHERE] : [given]).find((path) => existsSync(path)) ?? null;
}

/** Starts a headless Chromium with a fresh profile, told what to do through a pipe. */
export async function openCamera(chromium: string): Promise<Camera> {
  const folder = mkdtempSync(join(tmpdir(), 'llm-incident-camera-'));
  const child = spawn(chromium, [...FLAGS, `--user-data-dir=${join(folder, 'profile')}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ask = protocol(child.stdio[3] as Writable, child.stdio[4] as Readable, ended);
  const { targetId } = z
    .object({ targetId: z.string() })
    .parse(await ask('Target.createTarget', { url: 'about:blank' }));
  const { sessionId } = z
    .object({ sessionId: z.string() })
    .parse(await ask('Target.attachToTarget', { targetId, flatten: true }));
  const page = (method: string, params: object = {}) => ask(method, params, sessionId);
  return {
    picture: async (html, widthPx) => {
      const file = join(folder, 'page.html');
      writeFileSync(file, html);
      return photograph(page, pathToFileURL(file).href, widthPx);
    },
    close: async () => {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

type Ask = (method: string, params?: object, sessionId?: string) => Promise<unknown>;

const evaluated = z.object({
  result: z.object({
    value: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  }),
});
const navigated = z.object({ errorText: z.undefined().optional() });
const captured = z.object({ data: z.base64() });

const MEASURE = `new Promise((measured) => {
  const measure = async () => {
    await document.fonts.ready;
    const { x, y, width, height } = document.querySelector('#picture').getBoundingClientRect();
    measured({ x, y, width, height });
  };
  document.readyState === 'complete' ? measure() : addEventListener('load', measure);
})`;

async function photograph(page: Ask, url: string, widthPx: number): Promise<Buffer> {
  const screen = { width: widthPx, height: TALLEST_PX, deviceScaleFactor: DENSITY, mobile: false };
  await page('Emulation.setDeviceMetricsOverride', screen);
  navigated.parse(await page('Page.navigate', { url }));
  const asked = { expression: MEASURE, awaitPromise: true, returnByValue: true };
  const { value: box } = evaluated.parse(await page('Runtime.evaluate', asked)).result;
  const clip = { ...box, height: Math.ceil(box.height), scale: 1 };
  const { data } = captured.parse(await page('Page.captureScreenshot', { format: 'png', clip }));
  return Buffer.from(data, 'base64');
}

const reply = z.object({
  id: z.number(),
  result: z.unknown(),
  error: z.object({ message: z.string() }).optional(),
});

/** The DevTools protocol over a pipe: JSON texts, each ended by a zero byte, answered under their number. */
function protocol(to: Writable, from: Readable, ended: Promise<void>): Ask {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (why: Error) => void }>();
  let sent = 0;
  let isOver = false;
  let rest = '';
  from.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) {
      const { success, data } = reply.safeParse(JSON.parse(message));
      if (!success) continue; // An event: nothing here waits for one.
      if (data.error === undefined) waiting.get(data.id)?.resolve(data.result);
      else waiting.get(data.id)?.reject(new Error(`Chromium: ${data.error.message}`));
      waiting.delete(data.id);
    }
  });
  to.on('error', () => undefined); // That it ended is told to whoever waits.
  void ended.then(() => {
    isOver = true;
    for (const { reject } of waiting.values()) reject(new Error('Chromium ended before it answered'));
  });
  return (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      if (isOver) return reject(new Error('Chromium has ended'));
      sent += 1;
      waiting.set(sent, { resolve, reject });
      to.write(`${JSON.stringify({ id: sent, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    });
}
