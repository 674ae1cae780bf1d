/** What an evaluator said about a call. */
export interface Evaluation {
  name: string;
  score?: number;
  label?: string;
  explanation?: string;
  evaluator?: string;
}

/** One model call as an instrumented application would report it. */
export interface EmittedCall {
  service: string;
  environment: string;
  startedAt: Date;
  endedAt: Date;
  /** 32 and 16 hex digits. */
  traceId: string;
  spanId: string;
  requestModel: string;
  responseModel?: string;
  provider?: string;
  promptName?: string;
  promptVersion?: string;
  promptSha256?: string;
  endpoint?: string;
  user?: string;
  session?: string;
  input?: string;
  output?: string;
  inputTokens?: number;
  outputTokens?: number;
  costUsd?: number;
  /** OpenTelemetry's error.type, for a call that failed. */
  error?: string;
  evaluations?: Evaluation[];
  /** Relevance of each chunk that was retrieved for it. */
  retrievalScores?: number[];
}

type Scalar = string | number | boolean | readonly number[] | undefined;
type KeyValue = { key: string; value: Record<string, unknown> };

const SCOPE = { name: 'llm-incident.demo', version: '1' };
const SPAN_KIND_CLIENT = 3;
const STATUS_ERROR = 2;
const SEVERITY_INFO = 9;
const EVALUATION = 'gen_ai.evaluation.result';

/** OTLP/HTTP JSON for `/v1/traces`, by the GenAI semantic conventions; one resource per service and environment. */
export function toTraces(calls: readonly EmittedCall[]): { resourceSpans: object[] } {
  return {
    resourceSpans: byResource(calls).map((group) => ({
      resource: group.resource,
      scopeSpans: [{ scope: SCOPE, spans: group.calls.map(spanOf) }],
    })),
  };
}

/** OTLP/HTTP JSON for `/v1/logs`: every evaluation, tied to its call by trace and span id. */
export function toLogs(calls: readonly EmittedCall[]): { resourceLogs: object[] } {
  const judged = calls.filter((call) => (call.evaluations ?? []).length > 0);
  return {
    resourceLogs: byResource(judged).map((group) => ({
      resource: group.resource,
      scopeLogs: [{ scope: SCOPE, logRecords: group.calls.flatMap(logRecordsOf) }],
    })),
  };
}

function spanOf(call: EmittedCall): object {
  return {
    traceId: call.traceId,
    spanId: call.spanId,
    name: `chat ${call.requestModel}`,
    kind: SPAN_KIND_CLIENT,
    startTimeUnixNano: nanos(call.startedAt),
    endTimeUnixNano: nanos(call.endedAt),
    attributes: attributes(
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': call.provider ?? 'openai',
        'gen_ai.request.model': call.requestModel,
        'gen_ai.response.model': call.responseModel,
        'gen_ai.usage.input_tokens': call.inputTokens,
        'gen_ai.usage.output_tokens': call.outputTokens,
        'gen_ai.prompt.name': call.promptName,
        'gen_ai.input.messages': messages('user', call.input),
        'gen_ai.output.messages': messages('assistant', call.output),
        'llm_incident.prompt.version': call.promptVersion,
        'llm_incident.prompt.sha256': call.promptSha256,
        'llm_incident.cost_usd': call.costUsd,
        'llm_incident.endpoint': call.endpoint,
        'user.id': call.user,
        'session.id': call.session,
        'error.type': call.error,
        'llm_incident.retrieval.score': call.retrievalScores,
      },
      new Set(['llm_incident.cost_usd']),
    ),
    status: call.error === undefined ? {} : { code: STATUS_ERROR, message: call.error },
  };
}

function logRecordsOf(call: EmittedCall): object[] {
  return (call.evaluations ?? []).map((evaluation) => ({
    timeUnixNano: nanos(call.endedAt),
    observedTimeUnixNano: nanos(call.endedAt),
    severityNumber: SEVERITY_INFO,
    eventName: EVALUATION,
    traceId: call.traceId,
    spanId: call.spanId,
    attributes: attributes(
      {
        'event.name': EVALUATION,
        'gen_ai.evaluation.name': evaluation.name,
        'gen_ai.evaluation.score.value': evaluation.score,
        'gen_ai.evaluation.score.label': evaluation.label,
        'gen_ai.evaluation.explanation': evaluation.explanation,
        'gen_ai.evaluation.evaluator.name': evaluation.evaluator,
      },
      new Set(['gen_ai.evaluation.score.value']),
    ),
  }));
}

// The convention's messages go as JSON text: span attributes cannot hold objects.
function messages(role: 'user' | 'assistant', content: string | undefined): string | undefined {
  if (content === undefined) return undefined;
  const finish = role === 'assistant' ? { finish_reason: 'stop' } : {};
  return JSON.stringify([{ role, parts: [{ type: 'text', content }], ...finish }]);
}

function attributes(values: Record<string, Scalar>, doubles: ReadonlySet<string> = new Set()): KeyValue[] {
  return Object.entries(values).flatMap(([key, value]): KeyValue[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    if (typeof value === 'object')
      return [{ key, value: { arrayValue: { values: value.map((one) => ({ doubleValue: one })) } } }];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    if (Number.isInteger(value) && !doubles.has(key)) return [{ key, value: { intValue: String(value) } }];
    return [{ key, value: { doubleValue: value } }];
  });
}

interface Group {
  resource: { attributes: KeyValue[] };
  calls: EmittedCall[];
}

function byResource(calls: readonly EmittedCall[]): Group[] {
  const groups = Map.groupBy(calls, (call) => JSON.stringify([call.service, call.environment]));
  return [...groups].map(([key, inside]) => {
    const [service, environment] = JSON.parse(key) as [string, string];
    const names = { 'service.name': service, 'deployment.environment.name': environment };
    return { resource: { attributes: attributes(names) }, calls: inside };
  });
}

function nanos(at: Date): string {
  return String(BigInt(at.getTime()) * 1_000_000n);
}
