import type { FastifyInstance } from 'fastify';
import { deliveryCheck, safety } from '../config/content.ts';
import type { CheckSettings } from '../flow/watch/check-output.ts';
import { createLog } from '../log.ts';
import { type CheckCounts, createCheckCounts } from '../sources/check-count-store.ts';
import { addCheckRoute } from './check.ts';
import { createServer } from './server.ts';

/** The check before delivery on a server of its own, for tests; its token is `t`. */
export interface ExampleCheckRoute {
  server: FastifyInstance;
  counts: CheckCounts;
  post(body: unknown, url?: string, authorization?: string): Promise<ExampleAnswer>;
}

interface ExampleAnswer {
  status: number;
  body: Record<string, unknown>;
}

const NOW = new Date('2026-03-01T10:00:30Z');

/** A service's settings: the defaults, and what differs from them. */
export function checkSettings(check: object = {}, safe: object = {}): CheckSettings {
  return { check: deliveryCheck.parse(check), safety: safety.parse(safe) };
}

export function exampleCheckRoute(
  services: Record<string, CheckSettings> = {},
  blockedFor: () => readonly string[] = () => [],
): ExampleCheckRoute {
  const server = createServer();
  const counts = createCheckCounts();
  const log = createLog('silent');
  const clock = { environment: 'production', now: () => NOW };
  addCheckRoute(server, { tokens: ['t'], log, services, counts, blockedFor, ...clock });
  return {
    server,
    counts,
    async post(body, url = '/v1/check', authorization = 'Bearer t') {
      const payload = typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await server.inject({ method: 'POST', url, payload, headers: { authorization } });
      return { status: answer.statusCode, body: answer.json() };
    },
  };
}
