import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { Flow } from '../flow/flow.ts';
import { containAtOnce } from '../flow/mitigate/contain-at-once.ts';
import { readJson, requireToken } from './server.ts';

const text = z.string().trim().min(1, 'must be a text').max(2_000, 'must have at most 2,000 characters');
const request = z.object({
  service: text,
  wish: text,
  reason: text,
  by: text,
  safety: z.boolean().optional(),
});

/** Longest that the terminal is kept waiting for the read-back. */
const WAIT_MS = 30_000;

/**
 * `POST /v1/contain {"service", "wish", "reason", "by", "safety"?}`: what `npm run contain` asks of a bot that is up, for the embedded
 * database has one opener. 200 with a ContainReport. Policy: it takes the terminal's own token and no other, so
 * that whoever sends calls in cannot switch anything off.
 */
export function addContainRoute(
  server: FastifyInstance,
  { flow, token }: { flow: Flow; token: string },
): void {
  server.post('/v1/contain', { onRequest: requireToken([token]) }, async (received, reply) => {
    const body = readJson(received);
    if (body.kind === 'unreadable') return reply.code(body.status).send({ error: body.problem });
    const asked = request.safeParse(body.value);
    if (!asked.success) {
      const problems = asked.error.issues.map(
        ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
      );
      return reply.code(400).send({ error: problems.join('; ') });
    }
    try {
      return await containAtOnce(flow, asked.data, { waitMs: WAIT_MS });
    } catch (thrown) {
      flow.log.error({ error: messageOf(thrown) }, 'containment from the terminal failed');
      return reply.code(503).send({ error: `the bot could not: ${messageOf(thrown)}` });
    }
  });
}

/** Whoever may read the bot's own files may contain: the token is new at every start. */
export const newTerminalToken = (): string => randomBytes(32).toString('hex');

/** Says in `file`, which only its owner can read, where the bot is and by which token; returns how to take that back. */
export function announceTo(file: string, access: { url: string; token: string }): () => void {
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(access)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}
