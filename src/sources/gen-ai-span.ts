import type { Call } from './call.ts';
import { retrievalOf } from './gen-ai-retrieval.ts';
import { textOf } from './gen-ai-text.ts';
import {
  type AcceptedTimes,
  type Attributes,
  amountAttribute,
  attributesOf,
  countAttribute,
  FieldProblem,
  hexIdOf,
  listOf,
  nanosOf,
  objectOf,
  textAttribute,
  timeOfNanos,
} from './otlp-value.ts';

/**
 * Operations that carry gen_ai attributes and answer nobody: agents and tools around the call, embeddings.
 */
const NOT_A_MODEL_CALL = new Set([
  'execute_tool',
  'invoke_agent',
  'create_agent',
  'invoke_workflow',
  'embeddings',
  'retrieval',
]);

/** Where a span or record came from, as its resource said. */
export interface Origin {
  service: string;
  environment: string;
}

/** Policy: a span is a call when it carries any gen_ai attribute and its operation is a call to a model. */
export function isModelCall(attributes: Attributes): boolean {
  const operation = attributes.get('gen_ai.operation.name');
  if (typeof operation === 'string' && NOT_A_MODEL_CALL.has(operation)) return false;
  return [...attributes.keys()].some((key) => key.startsWith('gen_ai.'));
}

/** Reads one GenAI span at `path`. Throws FieldProblem naming the field that is wrong. */
export function callOf(
  span: Record<string, unknown>,
  path: string,
  found: Origin & { attributes: Attributes; times: AcceptedTimes | null },
): Call {
  const { attributes, service, environment, times } = found;
  const traceId = hexIdOf(span['traceId'], 32, `${path}.traceId`);
  const spanId = hexIdOf(span['spanId'], 16, `${path}.spanId`);
  const endNanos = nanosOf(span['endTimeUnixNano'], `${path}.endTimeUnixNano`);
  const { input, output } = textOf(attributes, eventsOf(span, path));
  return {
    traceId,
    spanId,
    service,
    environment,
    at: timeOfNanos(endNanos, `${path}.endTimeUnixNano`, times),
    requestModel: textAttribute(attributes, 'gen_ai.request.model'),
    responseModel: textAttribute(attributes, 'gen_ai.response.model'),
    parameters: parametersOf(attributes),
    promptName: textAttribute(attributes, 'gen_ai.prompt.name'),
    promptVersion: textAttribute(
      attributes,
      'llm_incident.prompt.version',
      'langfuse.observation.prompt.version',
      'llm.prompt_template.version',
    ),
    promptSha256: textAttribute(attributes, 'llm_incident.prompt.sha256'),
    userId: textAttribute(attributes, 'user.id'),
    sessionId: textAttribute(attributes, 'session.id'),
    endpoint: textAttribute(attributes, 'llm_incident.endpoint'),
    inputTokens: countAttribute(attributes, path, 'gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens'),
    outputTokens: countAttribute(
      attributes,
      path,
      'gen_ai.usage.output_tokens',
      'gen_ai.usage.completion_tokens',
    ),
    outputChars: output === null ? null : output.length,
    costUsd: costOf(attributes, path),
    latencyMs: latencyMsOf(span, path, endNanos),
    error: errorOf(span, attributes),
    input,
    output,
    retrieval: retrievalOf(attributes, path),
  };
}

/** What no single call costs is a mistake of units, and would open an incident about it. */
const MOST_USD = 10_000;

function costOf(attributes: Attributes, path: string): number | null {
  const name = 'llm_incident.cost_usd';
  const cost = amountAttribute(attributes, path, name);
  if (cost !== null && cost > MOST_USD) {
    throw new FieldProblem(
      `${path}.attributes["${name}"]`,
      `must be dollars, at most ${MOST_USD}, got ${cost}`,
    );
  }
  return cost;
}

function eventsOf(span: Record<string, unknown>, path: string): { name: string; attributes: Attributes }[] {
  return listOf(span['events'], `${path}.events`).flatMap((entry, index) => {
    const event = objectOf(entry);
    if (typeof event?.['name'] !== 'string') return [];
    const attributes = attributesOf(event['attributes'], `${path}.events[${index}].attributes`);
    return [{ name: event['name'], attributes }];
  });
}

/**
 * Unknown when the start is missing or, after a clock step, later than the end: that loses a latency, not a
 * call.
 */
function latencyMsOf(span: Record<string, unknown>, path: string, endNanos: bigint): number | null {
  const start = span['startTimeUnixNano'];
  if (start === undefined || start === null || start === 0 || start === '0') return null;
  const nanos = endNanos - nanosOf(start, `${path}.startTimeUnixNano`);
  return nanos < 0n ? null : Number(nanos) / 1e6;
}

function errorOf(span: Record<string, unknown>, attributes: Attributes): string | null {
  const type = textAttribute(attributes, 'error.type');
  if (type !== null) return type;
  const status = objectOf(span['status']);
  if (status?.['code'] !== 2 && status?.['code'] !== 'STATUS_CODE_ERROR') return null;
  const message = status['message'];
  return typeof message === 'string' && message !== '' ? message : 'error';
}

const REQUEST = 'gen_ai.request.';

function parametersOf(attributes: Attributes): Record<string, number | string> {
  const parameters: Record<string, number | string> = {};
  for (const [key, value] of attributes) {
    if (!key.startsWith(REQUEST) || key === 'gen_ai.request.model' || value === null) continue;
    const name = key.slice(REQUEST.length);
    if (!/^[\w.]+$/.test(name)) continue;
    parameters[name] = typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
  }
  return parameters;
}
