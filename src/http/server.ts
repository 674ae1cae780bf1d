import { timingSafeEqual } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';

const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** A server whose routes get the raw bytes of a body, because signatures are over bytes. */
export function createServer(): FastifyInstance {
  const server = fastify({ logger: false, bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: 'idle' });
  // A connection kept alive after the last answer would hold up the shutdown until it times out.
  let isClosing = false;
  server.addHook('preClose', async () => {
    isClosing = true;
  });
  server.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close');
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return server;
}

/** Lets a request through when it carries one of the bearer tokens; with no tokens configured, none passes. */
export function requireToken(tokens: readonly string[]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && tokens.some((token) => isSame(given, token))) return undefined;
    const error =
      tokens.length === 0
        ? 'no token is configured: set LLM_INCIDENT_TOKENS'
        : 'authorization: send one of LLM_INCIDENT_TOKENS as a bearer token';
    return reply.code(401).send({ error });
  };
}

function isSame(given: string, token: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b);
}

export type JsonBody = { kind: 'json'; value: unknown } | { kind: 'unreadable'; problem: string };

/** The body as JSON, unpacked when it is gzipped. */
export function readJson(request: FastifyRequest): JsonBody {
  const raw = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  try {
    const isZipped = request.headers['content-encoding']?.toLowerCase() === 'gzip';
    const bytes = isZipped ? gunzipSync(raw, { maxOutputLength: BODY_LIMIT_BYTES }) : raw;
    return { kind: 'json', value: JSON.parse(bytes.toString('utf8')) };
  } catch (thrown) {
    return { kind: 'unreadable', problem: `body: not valid JSON (${(thrown as Error).message})` };
  }
}
