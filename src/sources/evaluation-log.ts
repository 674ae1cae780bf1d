import type { CallEvaluation } from './call.ts';
import type { Origin } from './gen-ai-span.ts';
import {
  type AcceptedTimes,
  type Attributes,
  anyValueOf,
  FieldProblem,
  hexIdOf,
  nanosOf,
  shown,
  textAttribute,
  timeOfNanos,
} from './otlp-value.ts';

const EVENT = 'gen_ai.evaluation.result';
const VALUE = 'gen_ai.evaluation.score.value';
const FROM_0_TO_1 = new Set(['quality', 'semantic_similarity']);

/** The event's name is a field of its own, in older SDKs an attribute, in the oldest the body. */
export function isEvaluation(record: Record<string, unknown>, attributes: Attributes): boolean {
  if (record['eventName'] === EVENT || attributes.get('event.name') === EVENT) return true;
  return anyValueOf(record['body']) === EVENT;
}

/** Reads one evaluation record at `path`. Throws FieldProblem naming the field that is wrong. */
export function evaluationOf(
  record: Record<string, unknown>,
  path: string,
  found: Origin & { attributes: Attributes; scope: string | null; times: AcceptedTimes | null },
): CallEvaluation {
  const { attributes, service, environment, times } = found;
  const name = textAttribute(attributes, 'gen_ai.evaluation.name');
  if (name === null) {
    throw new FieldProblem(
      `${path}.attributes["gen_ai.evaluation.name"]`,
      'is missing: name what was evaluated',
    );
  }
  const observed = isUnset(record['timeUnixNano']) ? 'observedTimeUnixNano' : 'timeUnixNano';
  const timePath = `${path}.${observed}`;
  return {
    traceId: isUnset(record['traceId']) ? null : hexIdOf(record['traceId'], 32, `${path}.traceId`),
    spanId: isUnset(record['spanId']) ? null : hexIdOf(record['spanId'], 16, `${path}.spanId`),
    service,
    environment,
    at: timeOfNanos(nanosOf(record[observed], timePath), timePath, times),
    name,
    value: scoreOf(name, attributes, path),
    label: textAttribute(attributes, 'gen_ai.evaluation.score.label'),
    explanation: textAttribute(attributes, 'gen_ai.evaluation.explanation'),
    evaluator: textAttribute(attributes, 'gen_ai.evaluation.evaluator.name') ?? found.scope,
  };
}

/** Protobuf's default for a field that was never set, in any of its JSON spellings. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true;
  return typeof value === 'string' && /^0+$/.test(value);
}

/**
 * Policy: quality and semantic_similarity are 0..1, format is 0 or 1, any other score is a number or nothing.
 */
function scoreOf(name: string, attributes: Attributes, path: string): number | null {
  const sent = attributes.get(VALUE);
  const value = typeof sent === 'boolean' ? Number(sent) : sent;
  const refuse = (wanted: string) =>
    new FieldProblem(`${path}.attributes["${VALUE}"]`, `${name} must be ${wanted}, got ${shown(sent)}`);
  if (FROM_0_TO_1.has(name)) {
    if (typeof value === 'number' && value >= 0 && value <= 1) return value;
    throw refuse('a number from 0 to 1');
  }
  if (name === 'format') {
    if (value === 0 || value === 1) return value;
    throw refuse('0 or 1');
  }
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw refuse('a number');
}
