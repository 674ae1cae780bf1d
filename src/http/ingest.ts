import type { FastifyInstance } from 'fastify';
import type { Db } from '../db/database.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { saveCalls, saveEvaluations } from '../sources/call-store.ts';
import { parseLogs, parseTraces, type Rejection } from '../sources/otlp.ts';
import { readJson, requireToken } from './server.ts';

interface Ingest {
  db: Db;
  log: Log;
  tokens: readonly string[];
}

const SHOWN_REJECTIONS = 20;

/**
 * `POST /v1/traces` and `/v1/logs`, OTLP/HTTP JSON. Good records are kept when others are malformed; the answer
 * names each malformed field in OTLP's `partialSuccess`. 400: not JSON at all. 503: nothing could be stored.
 */
export function addIngestRoutes(server: FastifyInstance, { db, log, tokens }: Ingest): void {
  const route = (path: string, store: (body: unknown) => Promise<object>) =>
    server.post(path, { onRequest: requireToken(tokens) }, async (request, reply) => {
      if (/protobuf/.test(request.headers['content-type'] ?? '')) {
        return reply.code(415).send({ error: 'content-type: send OTLP as application/json' });
      }
      const body = readJson(request);
      if (body.kind === 'unreadable') return reply.code(400).send({ error: body.problem });
      try {
        return await store(body.value);
      } catch (thrown) {
        if (thrown instanceof RangeError)
          return reply.code(400).send({ error: 'body: is nested too deeply' });
        log.error({ path, error: messageOf(thrown) }, 'calls could not be stored');
        return reply.code(503).send({ error: 'the calls could not be stored; send them again' });
      }
    });

  route('/v1/traces', async (body) => {
    const { calls, rejected } = parseTraces(body);
    await saveCalls(db, calls);
    return partialSuccess('rejectedSpans', rejected);
  });
  route('/v1/logs', async (body) => {
    const { evaluations, rejected } = parseLogs(body);
    await saveEvaluations(db, evaluations);
    return partialSuccess('rejectedLogRecords', rejected);
  });
}

function partialSuccess(counter: string, rejected: readonly Rejection[]): object {
  if (rejected.length === 0) return {};
  const lost = rejected.reduce((sum, { count }) => sum + count, 0);
  const named = rejected.slice(0, SHOWN_REJECTIONS).map(({ path, problem }) => `${path}: ${problem}`);
  const more = rejected.length > named.length ? [`and ${rejected.length - named.length} more`] : [];
  return {
    partialSuccess: { [counter]: String(lost), errorMessage: [...named, ...more].join('; ') },
  };
}
