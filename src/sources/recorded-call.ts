import { z } from 'zod';
import type { ServiceConfig } from '../config/config-file.ts';
import { callInspector } from './inspected-call.ts';
import type { CountedCall } from './recorded-calls.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const amount = z
  .number()
  .nullish()
  .transform((value) => value ?? null);
const count = z
  .number()
  .int()
  .min(0)
  .nullish()
  .transform((value) => value ?? null);

const ZONED = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** A time that names no zone is UTC, and not the time of the machine that reads it. */
export function timeInUtc(text: string): Date {
  return new Date(text.includes('T') && !ZONED.test(text) ? `${text}Z` : text);
}

const recordedCall = z.object({
  time: z.iso.datetime({
    offset: true,
    local: true,
    error: 'must be ISO 8601, as in 2026-03-01T12:00:00Z; without a zone it is UTC',
  }),
  service: z.string().min(1),
  environment: z.string().min(1).nullish(),
  request_model: z.string(),
  response_model: text,
  prompt_name: text,
  prompt_version: text,
  user: text,
  session: text,
  endpoint: text,
  input: text,
  output: text,
  input_tokens: count,
  output_tokens: count,
  cost_usd: amount,
  latency_ms: amount,
  error: z.union([z.string(), z.boolean()]).nullish(),
  format_ok: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
  score: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .transform((value) => value ?? null),
});

/** One line of a record of calls. */
export type RecordedCall = z.infer<typeof recordedCall>;

export type RecordedLine =
  | { kind: 'call'; call: RecordedCall }
  /** Names the field and what is wrong with it. */
  | { kind: 'malformed'; problem: string };

/** Reads one JSON line; keys that it does not know are ignored. */
export function parseRecordedCall(line: string): RecordedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'malformed', problem: 'is not JSON' };
  }
  const parsed = recordedCall.safeParse(value);
  if (parsed.success) return { kind: 'call', call: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`);
  return { kind: 'malformed', problem: problems.join('; ') };
}

/**
 * What recorded calls of one service count for, with what their texts show; `environment` is that of calls that name
 * none. The call's own `format_ok` wins over the configured format.
 */
export function callCounter(
  config: ServiceConfig | null,
  { environment }: { environment: string },
): (call: RecordedCall) => CountedCall {
  const inspect = callInspector(config);
  return (call) => {
    const { features, formatOk, leaks } = inspect({ input: call.input, output: call.output });
    return {
      service: call.service,
      environment: call.environment ?? environment,
      at: timeInUtc(call.time),
      isSpan: true,
      failed: typeof call.error === 'string' ? call.error !== '' : call.error === true,
      latencyMs: call.latency_ms,
      inputTokens: call.input_tokens,
      outputTokens: call.output_tokens,
      outputChars: call.output?.length ?? null,
      costUsd: call.cost_usd,
      userId: call.user,
      endpoint: call.endpoint,
      quality: call.score,
      judge: null,
      similarity: null,
      ...features,
      formatOk: call.format_ok ?? formatOk,
      safety: leaks,
    };
  };
}
