import { timingSafeEqual } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { messageOf } from '../errors.ts';

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

export type UnreadableBody = { kind: 'unreadable'; status: 400 | 413; problem: string };
export type RawBody = { kind: 'bytes'; bytes: Buffer } | UnreadableBody;
export type JsonBody = { kind: 'json'; value: unknown } | UnreadableBody;

/** The bytes of the body, unpacked when it is gzipped; 413 when they are too many then. */
export function readBytes(request: FastifyRequest): RawBody {
  const raw = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
  if (request.headers['content-encoding']?.toLowerCase() !== 'gzip') return { kind: 'bytes', bytes: raw };
  try {
    return { kind: 'bytes', bytes: gunzipSync(raw, { maxOutputLength: BODY_LIMIT_BYTES }) };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      const problem = `body: is larger than ${BODY_LIMIT_BYTES} bytes when unpacked; send smaller batches`;
      return { kind: 'unreadable', status: 413, problem };
    }
    return { kind: 'unreadable', status: 400, problem: `body: not valid gzip (${messageOf(thrown)})` };
  }
}

/** The body as JSON, unpacked when it is gzipped. */
export function readJson(request: FastifyRequest): JsonBody {
  const body = readBytes(request);
  if (body.kind === 'unreadable') return body;
  try {
    return { kind: 'json', value: JSON.parse(body.bytes.toString('utf8')) };
  } catch (thrown) {
    return { kind: 'unreadable', status: 400, problem: `body: not valid JSON (${messageOf(thrown)})` };
  }
}
