import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Db } from '../db/database.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Call } from '../sources/call.ts';
import { saveCalls, saveEvaluations } from '../sources/call-store.ts';
import { CANARY_USER } from '../sources/canary/canary-endpoint.ts';
import { parseLogs, parseTraces, type Rejection } from '../sources/otlp.ts';
import { decodeRequest, encodeError, encodeResponse, type OtlpSignal } from '../sources/otlp-protobuf.ts';
import type { AcceptedTimes } from '../sources/otlp-value.ts';
import { readBytes, readJson, requireToken, type UnreadableBody } from './server.ts';

interface Ingest {
  db: Db;
  log: Log;
  tokens: readonly string[];
  /** Which times a call may have now; any, where it is left out. */
  acceptedTimes?: () => AcceptedTimes;
}

const SHOWN_REJECTIONS = 20;
const PROTOBUF = 'application/x-protobuf';

/**
 * `POST /v1/traces` and `/v1/logs`, OTLP/HTTP as JSON or protobuf, answered in kind. Good records are kept when others
 * are malformed; the answer names each malformed field in OTLP's `partialSuccess`. 400: not readable at all.
 * 413: more than 16 MiB. 503: nothing could be stored.
 */
export function addIngestRoutes(server: FastifyInstance, { db, log, tokens, acceptedTimes }: Ingest): void {
  const route = (signal: OtlpSignal, store: (body: unknown) => Promise<object>) =>
    server.post(`/v1/${signal}`, { onRequest: requireToken(tokens) }, async (request, reply) => {
      const answer = replyIn(signal, request, reply);
      const body = readRequest(signal, request);
      if (body.kind === 'unreadable') return answer.refused(body.status, body.problem);
      try {
        return answer.taken(await store(body.value));
      } catch (thrown) {
        if (thrown instanceof RangeError) return answer.refused(400, 'body: is nested too deeply');
        log.error({ signal, error: messageOf(thrown) }, 'calls could not be stored');
        return answer.refused(503, 'the calls could not be stored; send them again');
      }
    });

  route('traces', async (body) => {
    const { calls, rejected } = parseTraces(body, acceptedTimes?.());
    await saveCalls(db, calls.filter(isOfUsers));
    return partialSuccess('rejectedSpans', rejected);
  });
  route('logs', async (body) => {
    const { evaluations, rejected } = parseLogs(body, acceptedTimes?.());
    await saveEvaluations(db, evaluations);
    return partialSuccess('rejectedLogRecords', rejected);
  });
}

/** Policy: the bot's own canaries have a history of their own; they count in no metric of the users' calls. */
const isOfUsers = ({ userId }: Call) => userId !== CANARY_USER;

const isProtobuf = (request: FastifyRequest) => /\bprotobuf\b/i.test(request.headers['content-type'] ?? '');

function readRequest(
  signal: OtlpSignal,
  request: FastifyRequest,
): { kind: 'request'; value: unknown } | UnreadableBody {
  if (!isProtobuf(request)) {
    const body = readJson(request);
    return body.kind === 'json' ? { kind: 'request', value: body.value } : body;
  }
  const body = readBytes(request);
  if (body.kind === 'unreadable') return body;
  const decoded = decodeRequest(signal, body.bytes);
  return decoded.kind === 'request' ? decoded : { ...decoded, status: 400 };
}

/** Answers in the content type of the request; an error is a `Status` message in protobuf. */
function replyIn(signal: OtlpSignal, request: FastifyRequest, reply: FastifyReply) {
  if (!isProtobuf(request)) {
    return {
      taken: (response: object) => reply.send(response),
      refused: (status: number, error: string) => reply.code(status).send({ error }),
    };
  }
  const send = (status: number, bytes: Uint8Array) =>
    reply.code(status).header('content-type', PROTOBUF).send(Buffer.from(bytes));
  return {
    taken: (response: object) => send(200, encodeResponse(signal, response)),
    refused: (status: number, error: string) => send(status, encodeError(error)),
  };
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
