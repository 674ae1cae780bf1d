import { randomBytes } from 'node:crypto';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { TOKEN, type World } from './bot.ts';

const MINUTE_MS = 60_000;

/** So many calls of one kind; `each` says what is special about the i-th. */
export interface MadeCalls {
  service: string;
  n: number;
  /** Minutes before now between which they ended; the last 4 unless said otherwise. */
  minutesAgo?: { from: number; to: number };
  latencyMs?: number;
  each?: (index: number) => Partial<EmittedCall>;
}

/** A day before any window: sound calls that are all a little different. */
export const DAY_BEFORE = { from: 1_440, to: 65 };

const TOPICS = ['refund', 'delivery', 'invoice', 'password', 'warranty', 'voucher', 'address', 'return'];

/** Calls spread evenly over the time, sent through the ingest route; they count from the next tick on. */
export async function sendMade(world: World, made: MadeCalls): Promise<EmittedCall[]> {
  const now = (await world.now()).getTime();
  const { from, to } = made.minutesAgo ?? { from: 4, to: 0 };
  const stepMs = ((from - to) * MINUTE_MS) / made.n;
  const calls = Array.from({ length: made.n }, (_, index): EmittedCall => {
    const endedAt = new Date(Math.floor(now - from * MINUTE_MS + index * stepMs));
    const topic = TOPICS[index % TOPICS.length] as string;
    return {
      service: made.service,
      environment: 'production',
      startedAt: new Date(endedAt.getTime() - (made.latencyMs ?? 400 + (index % 50) * 4)),
      endedAt,
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      requestModel: 'gpt-4',
      responseModel: 'gpt-4-0314',
      promptName: 'answer',
      promptVersion: 'v13',
      input: `What about my ${topic} number ${index}?`,
      output: `Your ${topic} is on its way; you will get a message with the details of it by tomorrow evening.`,
      inputTokens: 300 + (index % 7),
      outputTokens: 80 + (index % 11),
      costUsd: 0.004,
      user: `user-${index % 25}`,
      endpoint: `endpoint-${index % 3}`,
      ...made.each?.(index),
    };
  });
  await sendCalls({ url: world.url, token: TOKEN }, calls);
  return calls;
}
