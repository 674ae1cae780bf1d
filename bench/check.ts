import type { FastifyInstance } from 'fastify';
import { Pool } from 'undici';
import { deliveryCheck, safety } from '../src/config/content.ts';
import { addCheckRoute } from '../src/http/check.ts';
import { createServer } from '../src/http/server.ts';
import { createLog } from '../src/log.ts';
import { createCheckCounts } from '../src/sources/check-count-store.ts';
import { compareCosts, type Measurement, quantile } from './measurement.ts';
import { openLoop } from './open-loop.ts';

const RATE_PER_SECOND = 200;
const WARM_UP_TURNS = 3;
const TURNS = 15;
const OUTPUT_CHARS = 4_096;
const ALLOWED_MS = 10;
const TOKEN = 'bench';

/**
 * p99 of the check of 4 kB outputs, within 10 ms of a route that answers at once. The two take turns every second, so
 * that whatever else the machine does falls on both.
 */
export async function check(): Promise<Measurement[]> {
  const empty = await open(addEmptyRoute);
  const real = await open(addRealRoute);
  try {
    await turns([empty, real], WARM_UP_TURNS);
    const [floors = [], values = []] = await turns([empty, real], TURNS);
    const [floor, value] = [quantile(floors, 0.99), quantile(values, 0.99)];
    const name = `check of 4 kB before delivery, p99 at ${RATE_PER_SECOND}/s (within ${ALLOWED_MS} ms)`;
    return [compareCosts({ name, floor, value, unit: 'ms', target: (floor + ALLOWED_MS) / floor })];
  } finally {
    await Promise.all([empty.close(), real.close()]);
  }
}

function addEmptyRoute(server: FastifyInstance): void {
  server.post('/v1/check', async () => ({ verdict: 'allow', reasons: [] }));
}

function addRealRoute(server: FastifyInstance): void {
  const settings = {
    check: deliveryCheck.parse({ blocked: ['legal advice', 'medical advice'] }),
    safety: safety.parse({ policy_words: ['project nightingale'], allow: ['*@shop.example'] }),
  };
  addCheckRoute(server, {
    tokens: [TOKEN],
    log: createLog('silent'),
    environment: 'production',
    services: { bench: settings },
    counts: createCheckCounts(),
    now: () => new Date(),
  });
}

interface Opened {
  send(index: number): Promise<void>;
  close(): Promise<void>;
}

async function open(add: (server: FastifyInstance) => void): Promise<Opened> {
  const server = createServer();
  add(server);
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const pool = new Pool(url, { connections: 32 });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
  const bodies = Array.from({ length: 50 }, (_, index) =>
    JSON.stringify({ service: 'bench', output: outputOf(index), input: 'Where is my order 1234?' }),
  );
  return {
    async send(index) {
      const body = bodies[index % bodies.length] ?? '';
      const answer = await pool.request({ method: 'POST', path: '/v1/check', headers, body });
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
      await answer.body.dump();
    },
    async close() {
      await pool.close();
      await server.close();
    },
  };
}

/** Latencies of each, in order, after so many seconds for each of them. */
async function turns(of: readonly Opened[], count: number): Promise<number[][]> {
  const latencies = of.map((): number[] => []);
  for (let turn = 0; turn < count; turn += 1) {
    for (const [at, { send }] of of.entries()) {
      const measured = await openLoop({ rate: RATE_PER_SECOND, seconds: 1, warmUp: 0 }, send);
      latencies[at]?.push(...measured);
    }
  }
  return latencies;
}

/** Prose of an ordinary support bot with numbers, dates and, in one of ten, somebody's address. */
function outputOf(index: number): string {
  const sentences = [
    `Order ${100_000 + index * 37} left our warehouse on 2026-03-${String((index % 28) + 1).padStart(2, '0')}.`,
    'It usually takes three to five working days, and you can follow it at https://shop.example/track?order=1.',
    'If the parcel is damaged, take a picture of it before you open it; the carrier asks for that.',
    `The price was $${(index * 7.35 + 10).toFixed(2)}, of which 19% is tax, and shipping is free above $50.`,
    'Write to help@shop.example or use the form in your account, under "Orders", and we will answer today.',
    index % 10 === 0
      ? 'The driver is jane.doe@carrier.example, phone (415) 555-2671.'
      : 'The driver rings twice.',
  ];
  return sentences.join(' ').repeat(20).slice(0, OUTPUT_CHARS);
}
