import type { FastifyInstance } from 'fastify';
import { messageOf } from '../errors.ts';
import type { Flow } from '../flow/flow.ts';
import { takeChanges } from '../flow/ledger/take-changes.ts';
import { readChanges } from '../sources/reported-change.ts';
import { readJson, requireToken } from './server.ts';

interface Changes {
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;
  tokens: readonly string[];
}

const SHOWN_PROBLEMS = 20;

/**
 * `POST /v1/changes`: 202 with how many changes are new, once they are in the ledger. 400 names each malformed field and
 * its cure, and then nothing was taken; 503: nothing could be stored.
 */
export function addChangesRoute(server: FastifyInstance, { flow, tokens }: Changes): void {
  const onRequest = requireToken(tokens);
  server.post('/v1/changes', { onRequest }, async (request, reply) => {
    const body = readJson(request);
    if (body.kind === 'unreadable') return reply.code(body.status).send({ error: body.problem });
    const read = readChanges(body.value, { now: flow.clock.now(), environment: flow.config.environment });
    if (read.kind === 'malformed')
      return reply.code(400).send({ error: read.problems.slice(0, SHOWN_PROBLEMS).join('; ') });
    try {
      return reply.code(202).send(await takeChanges(flow, read.changes));
    } catch (thrown) {
      flow.log.error({ error: messageOf(thrown) }, 'changes could not be stored');
      return reply.code(503).send({ error: 'the changes could not be stored; send them again' });
    }
  });
}
