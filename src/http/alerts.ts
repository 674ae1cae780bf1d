import type { FastifyInstance } from 'fastify';
import { messageOf } from '../errors.ts';
import type { Flow } from '../flow/flow.ts';
import { takeAlerts } from '../flow/watch/take-alerts.ts';
import { readAlerts } from '../sources/alertmanager.ts';
import { readJson, requireToken } from './server.ts';

interface Alerts {
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'pager' | 'log'>;
  tokens: readonly string[];
}

/**
 * `POST /alerts/alertmanager`: 202 with the incidents that the alerts opened or joined, once that is on the record.
 * 400 names what is malformed when nothing could be taken; 503 lets Alertmanager send it again.
 */
export function addAlertRoutes(server: FastifyInstance, { flow, tokens }: Alerts): void {
  const onRequest = requireToken(tokens);
  server.post('/alerts/alertmanager', { onRequest }, async (request, reply) => {
    const body = readJson(request);
    if (body.kind === 'unreadable') return reply.code(body.status).send({ error: body.problem });
    const read = readAlerts(body.value, { environment: flow.config.environment });
    if (read.kind === 'malformed') return reply.code(400).send({ error: read.problems.join('; ') });
    const { rejected, notes } = read.batch;
    if (rejected.length + notes.length > 0) flow.log.warn({ rejected, notes }, 'alerts with problems');
    try {
      const incidents = await takeAlerts(flow, read.batch);
      return reply.code(202).send({ incidents, rejected, notes });
    } catch (thrown) {
      flow.log.error({ error: messageOf(thrown) }, 'alerts could not be stored');
      return reply.code(503).send({ error: 'the alerts could not be stored; send them again' });
    }
  });
}
