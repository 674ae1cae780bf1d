import protobuf, { type INamespace } from 'protobufjs/light.js';

type Field = readonly [id: number, type: string, rule?: 'repeated'];

/** The fields of OTLP that are read or answered, by the numbers of its wire format; any other is skipped. */
const MESSAGES: Record<string, Record<string, Field>> = {
  ExportTraceServiceRequest: { resourceSpans: [1, 'ResourceSpans', 'repeated'] },
  ResourceSpans: { resource: [1, 'Resource'], scopeSpans: [2, 'ScopeSpans', 'repeated'] },
  ScopeSpans: { scope: [1, 'InstrumentationScope'], spans: [2, 'Span', 'repeated'] },
  Span: {
    traceId: [1, 'bytes'],
    spanId: [2, 'bytes'],
    startTimeUnixNano: [7, 'fixed64'],
    endTimeUnixNano: [8, 'fixed64'],
    attributes: [9, 'KeyValue', 'repeated'],
    events: [11, 'SpanEvent', 'repeated'],
    status: [15, 'SpanStatus'],
  },
  SpanEvent: {
    timeUnixNano: [1, 'fixed64'],
    name: [2, 'string'],
    attributes: [3, 'KeyValue', 'repeated'],
  },
  SpanStatus: { message: [2, 'string'], code: [3, 'int32'] },
  ExportLogsServiceRequest: { resourceLogs: [1, 'ResourceLogs', 'repeated'] },
  ResourceLogs: { resource: [1, 'Resource'], scopeLogs: [2, 'ScopeLogs', 'repeated'] },
  ScopeLogs: { scope: [1, 'InstrumentationScope'], logRecords: [2, 'LogRecord', 'repeated'] },
  LogRecord: {
    timeUnixNano: [1, 'fixed64'],
    body: [5, 'AnyValue'],
    attributes: [6, 'KeyValue', 'repeated'],
    traceId: [9, 'bytes'],
    spanId: [10, 'bytes'],
    observedTimeUnixNano: [11, 'fixed64'],
    eventName: [12, 'string'],
  },
  Resource: { attributes: [1, 'KeyValue', 'repeated'] },
  InstrumentationScope: { name: [1, 'string'] },
  KeyValue: { key: [1, 'string'], value: [2, 'AnyValue'] },
  AnyValue: {
    stringValue: [1, 'string'],
    boolValue: [2, 'bool'],
    intValue: [3, 'int64'],
    doubleValue: [4, 'double'],
    arrayValue: [5, 'ArrayValue'],
    kvlistValue: [6, 'KeyValueList'],
    bytesValue: [7, 'bytes'],
  },
  ArrayValue: { values: [1, 'AnyValue', 'repeated'] },
  KeyValueList: { values: [1, 'KeyValue', 'repeated'] },
  ExportTraceServiceResponse: { partialSuccess: [1, 'ExportTracePartialSuccess'] },
  ExportTracePartialSuccess: { rejectedSpans: [1, 'int64'], errorMessage: [2, 'string'] },
  ExportLogsServiceResponse: { partialSuccess: [1, 'ExportLogsPartialSuccess'] },
  ExportLogsPartialSuccess: { rejectedLogRecords: [1, 'int64'], errorMessage: [2, 'string'] },
  // google.rpc.Status, the body of every OTLP answer that is an error.
  Status: { code: [1, 'int32'], message: [2, 'string'] },
};

/** Of several values on the wire the last one counts. */
const ONE_OF: Record<string, string> = { AnyValue: 'value' };

function describe(): INamespace {
  const nested = Object.entries(MESSAGES).map(([name, fields]) => {
    const described = Object.entries(fields).map(([field, [id, type, rule]]) => [
      field,
      rule === undefined ? { id, type } : { id, type, rule },
    ]);
    const group = ONE_OF[name];
    const oneofs = group === undefined ? {} : { oneofs: { [group]: { oneof: Object.keys(fields) } } };
    return [name, { fields: Object.fromEntries(described), ...oneofs }];
  });
  return { nested: Object.fromEntries(nested) };
}

/** More than a real request of the largest size holds; empty messages take two bytes each, but memory by the hundred. */
export const MOST_MESSAGES = 2_000_000;
let decoded = 0;

/** Every message that is decoded counts itself, so that a hostile request ends before memory does. */
class Counted extends protobuf.Message {
  constructor(properties?: object) {
    super(properties);
    decoded += 1;
    if (decoded > MOST_MESSAGES)
      throw new RangeError(`holds more than ${MOST_MESSAGES} messages; send smaller batches`);
  }
}

const root = protobuf.Root.fromJSON(describe());
for (const name of Object.keys(MESSAGES)) root.lookupType(name).ctor = class extends Counted {};

/** Reads one message. Bytes are base64, 64-bit numbers are texts. Throws when the bytes are not one. */
export function decodeMessage(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(name);
  decoded = 0;
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

/** Writes one message from the shape that `decodeMessage` returns. */
export function encodeMessage(name: string, message: object): Uint8Array {
  const type = root.lookupType(name);
  decoded = 0;
  return type.encode(type.fromObject(message)).finish();
}
