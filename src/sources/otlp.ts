import type { Call, CallEvaluation } from './call.ts';
import { evaluationOf, isEvaluation } from './evaluation-log.ts';
import { callOf, isModelCall, type Origin } from './gen-ai-span.ts';
import {
  type AcceptedTimes,
  attributesOf,
  FieldProblem,
  listOf,
  objectOf,
  shown,
  textAttribute,
} from './otlp-value.ts';

/** One thing that was not taken, e.g. path `resourceSpans[0].scopeSpans[0].spans[3].endTimeUnixNano`. */
export interface Rejection {
  path: string;
  problem: string;
  /** Spans or records lost by it, for OTLP's `partialSuccess`. */
  count: number;
}

/**
 * Reads an OTLP/HTTP JSON trace request (https://opentelemetry.io/docs/specs/otlp/). Spans that are no model
 * call are left out without a word; a malformed one is rejected alone and the good ones are kept. Never
 * throws.
 */
export function parseTraces(
  body: unknown,
  times: AcceptedTimes | null = null,
): { calls: Call[]; rejected: Rejection[] } {
  const calls: Call[] = [];
  const rejected = walk(body, TRACES, (span, path, { origin }) => {
    const attributes = attributesOf(span['attributes'], `${path}.attributes`);
    if (isModelCall(attributes)) calls.push(callOf(span, path, { ...origin, attributes, times }));
  });
  return { calls, rejected };
}

/**
 * Reads an OTLP/HTTP JSON logs request: `gen_ai.evaluation.result` records, any other is left out. Never
 * throws.
 */
export function parseLogs(
  body: unknown,
  times: AcceptedTimes | null = null,
): { evaluations: CallEvaluation[]; rejected: Rejection[] } {
  const evaluations: CallEvaluation[] = [];
  const rejected = walk(body, LOGS, (record, path, { origin, scope }) => {
    const attributes = attributesOf(record['attributes'], `${path}.attributes`);
    if (isEvaluation(record, attributes)) {
      evaluations.push(evaluationOf(record, path, { ...origin, attributes, scope, times }));
    }
  });
  return { evaluations, rejected };
}

interface Shape {
  resources: string;
  scopes: string;
  items: string;
}

const TRACES: Shape = { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' };
const LOGS: Shape = { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' };

type Visit = (
  item: Record<string, unknown>,
  path: string,
  found: { origin: Origin; scope: string | null },
) => void;

function walk(body: unknown, shape: Shape, visit: Visit): Rejection[] {
  const rejected: Rejection[] = [];
  const request = objectOf(body);
  if (request === undefined)
    return [{ path: 'body', problem: `must be an object, got ${shown(body)}`, count: 0 }];
  const guard = <T>(count: number, read: () => T): T | undefined => {
    try {
      return read();
    } catch (thrown) {
      if (thrown instanceof RangeError) {
        rejected.push({ path: shape.resources, problem: 'holds a value that is nested too deeply', count });
        return undefined;
      }
      if (!(thrown instanceof FieldProblem)) throw thrown;
      rejected.push({ path: thrown.path, problem: thrown.message, count });
      return undefined;
    }
  };
  const resources = guard(0, () => listOf(request[shape.resources], shape.resources)) ?? [];
  resources.forEach((entry, index) => {
    const path = `${shape.resources}[${index}]`;
    const items = guard(0, () => itemsOf(entry, path, shape)) ?? [];
    if (items.length === 0) return;
    const origin = guard(items.length, () => originOf(entry, path));
    if (origin === undefined) return;
    for (const { item, path: itemPath, scope } of items) {
      guard(1, () => {
        const object = objectOf(item);
        if (object === undefined) throw new FieldProblem(itemPath, `must be an object, got ${shown(item)}`);
        visit(object, itemPath, { origin, scope });
      });
    }
  });
  return rejected;
}

function itemsOf(
  entry: unknown,
  path: string,
  shape: Shape,
): { item: unknown; path: string; scope: string | null }[] {
  const resource = objectOf(entry);
  if (resource === undefined) throw new FieldProblem(path, `must be an object, got ${shown(entry)}`);
  return listOf(resource[shape.scopes], `${path}.${shape.scopes}`).flatMap((group, index) => {
    const scopePath = `${path}.${shape.scopes}[${index}]`;
    const scopeName = objectOf(objectOf(group)?.['scope'])?.['name'];
    const scope = typeof scopeName === 'string' && scopeName !== '' ? scopeName : null;
    return listOf(objectOf(group)?.[shape.items], `${scopePath}.${shape.items}`).map((item, position) => ({
      item,
      path: `${scopePath}.${shape.items}[${position}]`,
      scope,
    }));
  });
}

/**
 * Policy: a call belongs to its resource's service.name; without deployment.environment.name it is
 * production.
 */
function originOf(entry: unknown, path: string): Origin {
  const where = `${path}.resource.attributes`;
  const attributes = attributesOf(objectOf(objectOf(entry)?.['resource'])?.['attributes'], where);
  const service = textAttribute(attributes, 'service.name');
  if (service === null) {
    throw new FieldProblem(where, 'service.name is missing: set OTEL_SERVICE_NAME or the resource attribute');
  }
  const environment = textAttribute(attributes, 'deployment.environment.name', 'deployment.environment');
  return { service, environment: environment ?? 'production' };
}
