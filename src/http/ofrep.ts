import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { digestOf } from '../evidence/digest.ts';
import type { ServingSnapshot } from '../flow/ledger/serving-snapshot.ts';
import { type Asker, type Serving, serve } from '../mitigation/served.ts';
import { readJson, requireToken } from './server.ts';

interface Deps {
  tokens: readonly string[];
  /** What a request is about that names none. */
  environment: string;
  snapshot: Pick<ServingSnapshot, 'of' | 'all' | 'ageMs'>;
}

const BODY_LIMIT_BYTES = 256 * 1024;

const nothing = (given: string | null | undefined) => (given === '' || given === undefined ? null : given);
/** Ids may be numbers in the caller's world; an empty one is none. */
const id = z
  .union([z.string(), z.number().transform(String)], 'must be a text')
  .nullish()
  .transform(nothing);
/** Contexts are shared with other flags: a `user` that is an object there is none here, and no reason to fail. */
const lenientId = id.catch(null);

const request = z.object({
  context: z.object(
    { targetingKey: id, environment: id, user: lenientId, session: lenientId, endpoint: lenientId },
    'must be an object',
  ),
});

type Asked =
  | { kind: 'asked'; asker: Asker; environment: string }
  | { kind: 'refused'; status: number; body: { errorCode: string; errorDetails: string } };

/**
 * The OpenFeature Remote Evaluation Protocol 0.3.0 (open-feature/protocol, service/openapi.yaml): the flag NAME is what
 * the service NAME serves. Answered from memory; `metadata.snapshot_age_ms` says how old that is.
 */
export function addOfrepRoutes(server: FastifyInstance, deps: Deps): void {
  const { snapshot } = deps;
  const options = { onRequest: requireToken(deps.tokens), bodyLimit: BODY_LIMIT_BYTES };
  const age = () => ({ snapshot_age_ms: snapshot.ageMs() });

  server.post<{ Params: { key: string } }>(
    '/ofrep/v1/evaluate/flags/:key',
    options,
    async (received, reply) => {
      const { key } = received.params;
      const asked = read(received, deps.environment);
      if (asked.kind === 'refused') return reply.code(asked.status).send({ key, ...asked.body });
      const serving = snapshot.of(key, asked.environment);
      if (serving === null) {
        const errorDetails = `no service ${key} is served in ${asked.environment}`;
        return reply.code(404).send({ key, errorCode: 'FLAG_NOT_FOUND', errorDetails });
      }
      const flag = flagOf(serving, asked.asker);
      return { ...flag, metadata: { ...flag.metadata, ...age() } };
    },
  );

  server.post('/ofrep/v1/evaluate/flags', options, async (received, reply) => {
    const asked = read(received, deps.environment);
    if (asked.kind === 'refused') return reply.code(asked.status).send(asked.body);
    const flags = snapshot.all(asked.environment).map((serving) => flagOf(serving, asked.asker));
    return bulk(received, reply, { flags, metadata: { environment: asked.environment, ...age() } });
  });
}

function read(received: FastifyRequest, environment: string): Asked {
  const body = readJson(received);
  if (body.kind === 'unreadable') return refused(body.status, 'PARSE_ERROR', body.problem);
  const parsed = request.safeParse(body.value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'body'}: ${message}`,
    );
    return refused(400, 'INVALID_CONTEXT', problems.join('; '));
  }
  const { environment: named, ...asker } = parsed.data.context;
  return { kind: 'asked', asker, environment: named ?? environment };
}

function refused(status: number, errorCode: string, errorDetails: string): Asked {
  return { kind: 'refused', status, body: { errorCode, errorDetails } };
}

interface Flag {
  key: string;
  value: object;
  reason: string;
  variant: string;
  metadata: Record<string, string | number | boolean>;
}

function flagOf(serving: Serving, asker: Asker): Flag {
  const { service: key, environment, version, changedAt } = serving;
  const changed = changedAt === null ? {} : { changed_at: changedAt.toISOString() };
  return { key, ...serve(serving, asker), metadata: { environment, version, ...changed } };
}

/** Weak, because the age of the snapshot is no part of it. */
function bulk(received: FastifyRequest, reply: FastifyReply, answer: { flags: Flag[]; metadata: object }) {
  const tag = `"${digestOf(answer.flags).slice(0, 32)}"`;
  reply.header('etag', `W/${tag}`);
  const known = (received.headers['if-none-match'] ?? '').split(',').map((given) => given.trim());
  const isKnown = known.some((given) => given === '*' || given.replace(/^W\//, '') === tag);
  return isKnown ? reply.code(304).send() : reply.send(answer);
}
