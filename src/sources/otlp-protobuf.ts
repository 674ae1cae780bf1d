import { messageOf } from '../errors.ts';
import { decodeMessage, encodeMessage } from './otlp-messages.ts';
import { listOf, objectOf } from './otlp-value.ts';

/** What a route takes in, and how its messages are named in OTLP. */
export type OtlpSignal = 'traces' | 'logs';

const NAMES = {
  traces: { message: 'Trace', resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  logs: { message: 'Logs', resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
} as const;

export type DecodedRequest = { kind: 'request'; value: unknown } | { kind: 'unreadable'; problem: string };

/**
 * An OTLP protobuf request in the shape that OTLP/HTTP JSON has, for `parseTraces` and `parseLogs`: ids in hex,
 * 64-bit numbers as texts (https://opentelemetry.io/docs/specs/otlp/). Fields that are not read are skipped.
 */
export function decodeRequest(signal: OtlpSignal, bytes: Uint8Array): DecodedRequest {
  try {
    const request = decodeMessage(`Export${NAMES[signal].message}ServiceRequest`, bytes);
    for (const item of itemsOf(request, signal)) writeIdsInHex(item);
    return { kind: 'request', value: request };
  } catch (thrown) {
    return { kind: 'unreadable', problem: `body: not valid OTLP protobuf (${messageOf(thrown)})` };
  }
}

/** The answer to a request that was taken, from its JSON form: `{}` or `{partialSuccess}`. */
export function encodeResponse(signal: OtlpSignal, response: object): Uint8Array {
  return encodeMessage(`Export${NAMES[signal].message}ServiceResponse`, response);
}

/** The answer to a request that was not taken. */
export function encodeError(message: string): Uint8Array {
  return encodeMessage('Status', { message });
}

function itemsOf(request: Record<string, unknown>, signal: OtlpSignal): Record<string, unknown>[] {
  const { resources, scopes, items } = NAMES[signal];
  const within = (outer: readonly unknown[], key: string) =>
    outer.flatMap((one) => listOf(objectOf(one)?.[key], key));
  return within(within([...listOf(request[resources], resources)], scopes), items).map(
    (item) => objectOf(item) ?? {},
  );
}

/** The ids are bytes on the wire, base64 after decoding, and hex in OTLP/HTTP JSON. */
function writeIdsInHex(item: Record<string, unknown>): void {
  for (const key of ['traceId', 'spanId']) {
    const id = item[key];
    if (typeof id === 'string') item[key] = Buffer.from(id, 'base64').toString('hex');
  }
}
