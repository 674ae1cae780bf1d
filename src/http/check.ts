import type { FastifyInstance } from 'fastify';
import { Agent } from 'undici';
import { z } from 'zod';
import {
  type CheckAnswer,
  type CheckSettings,
  createOutputChecker,
  type OutputChecker,
  type UndeliveredOutput,
} from '../flow/watch/check-output.ts';
import type { Log } from '../log.ts';
import type { CheckCounts } from '../sources/check-count-store.ts';
import { checkedText, type Gateway, litellm, portkey } from './check-gateways.ts';
import { type JsonBody, readJson, requireToken } from './server.ts';

interface Deps {
  tokens: readonly string[];
  log: Log;
  /** What outputs belong to that name none. */
  environment: string;
  services: Readonly<Record<string, CheckSettings>>;
  counts: CheckCounts;
  now(): Date;
  /** Output classes that are blocked at this moment beside the configured ones, as phrases. */
  blockedFor?(service: string, environment: string): readonly string[];
}

const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
const CLASSIFIER_ANSWER_BYTES = 64 * 1024;

const { name, output, input } = checkedText;
const request = z.object({
  service: name,
  output,
  input: input.nullish(),
  environment: name.optional(),
  user: z.string().nullish(),
  prompt_version: z.string().nullish(),
});

/**
 * `POST /v1/check`: whether an output may be delivered, from memory and within half a second. 400 names what is wrong
 * in the body. `?format=portkey` and `/beta/litellm_basic_guardrail_api` answer those gateways in their own shapes.
 */
export function addCheckRoute(server: FastifyInstance, deps: Deps): void {
  const dispatcher = new Agent({ maxResponseSize: CLASSIFIER_ANSWER_BYTES });
  server.addHook('onClose', () => dispatcher.destroy());
  const { services, log, blockedFor = () => [] } = deps;
  const check = counted(createOutputChecker({ services, blockedFor, dispatcher, log }), deps);
  const options = { onRequest: requireToken(deps.tokens), bodyLimit: BODY_LIMIT_BYTES };

  server.post<{ Querystring: { format?: string } }>('/v1/check', options, async (received, reply) => {
    const answer =
      received.query.format === 'portkey'
        ? await throughGateway(portkey, { body: readJson(received), query: received.query, deps, check })
        : await direct(readJson(received), deps, check);
    return reply.code(answer.status).send(answer.body);
  });

  server.post('/v1/check/beta/litellm_basic_guardrail_api', options, async (received, reply) => {
    const answer = await throughGateway(litellm, { body: readJson(received), query: {}, deps, check });
    return reply.code(answer.status).send(answer.body);
  });
}

type Check = (of: UndeliveredOutput) => Promise<CheckAnswer>;

interface Answer {
  status: number;
  body: object;
}

function counted(checker: OutputChecker, { counts, now }: Deps): Check {
  return async (of) => {
    const answer = await checker.check(of);
    const { service, environment } = of;
    counts.add({ service, environment, verdict: answer.verdict, reason: answer.decidedBy }, now());
    return answer;
  };
}

async function direct(body: JsonBody, deps: Deps, check: Check): Promise<Answer> {
  if (body.kind === 'unreadable') return { status: body.status, body: { error: body.problem } };
  const parsed = request.safeParse(body.value);
  if (!parsed.success) return refused(parsed.error);
  const { service, environment = deps.environment, output: text, input: asked } = parsed.data;
  const {
    verdict,
    output: clean,
    reasons,
  } = await check({
    service,
    environment,
    output: text,
    input: asked ?? null,
  });
  return { status: 200, body: { verdict, ...(verdict === 'redact' ? { output: clean } : {}), reasons } };
}

async function throughGateway(
  gateway: Gateway,
  { body, query, deps, check }: { body: JsonBody; query: unknown; deps: Deps; check: Check },
): Promise<Answer> {
  if (body.kind === 'unreadable') return { status: body.status, body: { error: body.problem } };
  try {
    const {
      service,
      environment = deps.environment,
      outputs,
      input: asked,
      answer,
    } = gateway(body.value, query);
    const of = { service, environment, input: asked };
    const answers = await Promise.all(outputs.map((text) => check({ ...of, output: text })));
    return { status: 200, body: answer(answers) };
  } catch (thrown) {
    if (thrown instanceof z.ZodError) return refused(thrown);
    throw thrown;
  }
}

function refused({ issues }: z.ZodError): Answer {
  const problems = issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { status: 400, body: { error: problems.join('; ') } };
}
