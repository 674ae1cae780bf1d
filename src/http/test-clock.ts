import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readJson } from './server.ts';

const YEAR_MS = 366 * 24 * 3_600_000;

const advance = z.object({ advance_ms: z.number().int().min(0).max(YEAR_MS) });

/** `POST /test/clock {"advance_ms"}` moves the clock and answers when everything that became due has been looked at. */
export function addTestClockRoute(server: FastifyInstance, onAdvance: (ms: number) => Promise<Date>): void {
  server.post('/test/clock', async (request, reply) => {
    const body = readJson(request);
    const wanted = advance.safeParse(body.kind === 'json' ? body.value : undefined);
    if (!wanted.success)
      return reply
        .code(400)
        .send({ error: 'advance_ms: must be a whole number from 0 to a year in milliseconds' });
    const now = await onAdvance(wanted.data.advance_ms);
    return { now: now.toISOString() };
  });
}
