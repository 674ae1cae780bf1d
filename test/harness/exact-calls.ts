import { randomBytes } from 'node:crypto';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { TOKEN, type World } from './bot.ts';

const MINUTE_MS = 60_000;

/** So many verdicts of a rule, of which exactly so many are good, evenly mixed. */
export interface Verdicts {
  service: string;
  n: number;
  good: number;
  /** 'quality' unless said otherwise. */
  kind?: 'quality' | 'format';
  environment?: string;
  /** Minutes before now between which the calls ended; the last 20 unless said otherwise. */
  minutesAgo?: { from: number; to: number };
}

/** Calls with exact verdicts, spread evenly over the time; their texts are all different. */
export function callsWith(now: Date, verdicts: Verdicts): EmittedCall[] {
  const { service, n, good, kind = 'quality', environment = 'production' } = verdicts;
  const { from, to } = verdicts.minutesAgo ?? { from: 20, to: 0 };
  const start = now.getTime() - from * MINUTE_MS;
  const step = ((from - to) * MINUTE_MS) / n;
  return Array.from({ length: n }, (_, index) => {
    const endedAt = new Date(Math.floor(start + index * step));
    const isGood = Math.floor(((index + 1) * good) / n) > Math.floor((index * good) / n);
    return {
      service,
      environment,
      startedAt: new Date(endedAt.getTime() - 500),
      endedAt,
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      requestModel: 'gpt-4',
      responseModel: 'gpt-4-0314',
      promptName: 'answer',
      promptVersion: 'v13',
      input: `question ${index}`,
      output: `answer ${index}`,
      evaluations: [{ name: kind, score: isGood ? 1 : 0 }],
    };
  });
}

/** Sends them; they count from the next tick on. */
export async function sendVerdicts(world: World, verdicts: Verdicts): Promise<EmittedCall[]> {
  const calls = callsWith(await world.now(), verdicts);
  await sendCalls({ url: world.url, token: TOKEN }, calls);
  return calls;
}

/** 400 scores with a mean of exactly 0.80, all before the window of the rule. */
export async function sendGoodDay(
  world: World,
  about: { service: string; environment?: string },
): Promise<void> {
  await sendVerdicts(world, { ...about, n: 400, good: 320, minutesAgo: { from: 600, to: 40 } });
}
