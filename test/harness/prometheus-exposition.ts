import type { Interval } from '../../src/sources/call.ts';
import { counter, type Series } from './prometheus.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 5 * 60_000;
const lastHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;

/** The generated traffic ends at a whole hour, and a week of hours lies before it. */
export const HOURS = { now: new Date(lastHour), weekAgo: new Date(lastHour - 7 * 24 * HOUR_MS) } as const;

/** Five hours, three days ago, in which quality was bad. */
export const TROUBLE: Interval = {
  from: new Date(lastHour - 72 * HOUR_MS),
  to: new Date(lastHour - 67 * HOUR_MS),
};

const CALLS = 500; // in a step of five minutes
/** Cumulative shares of calls that took at most so many seconds: the 99th percentile is 3.6 s. */
const LATENCY = { '1': 0.5, '2': 0.95, '4': 1, '+Inf': 1 };

const isTrouble = (at: Date) => at >= TROUBLE.from && at < TROUBLE.to;

/** Every instrumentation's way to say: 100 calls a minute, 5 % errors, 300 tokens and $0.02 a call. */
export function exposition(): Series[] {
  return [
    ...openTelemetry('otel', { duration: 'gen_ai_client_operation_duration_seconds', tokens: usage }),
    ...openTelemetry('otel-js', { duration: 'gen_ai_client_operation_duration', tokens: usage }),
    ...openTelemetry('otel-next', {
      duration: 'gen_ai_client_inference_duration_seconds',
      tokens: usageNext,
    }),
    ...openLlmetry('openllmetry'),
    ...liteLlm('litellm', 'litellm_'),
    ...liteLlm('litellm-doubled', 'litellm_litellm_'),
    ...vLlm('vllm'),
    ...ownNames('own'),
    ...growing('flawless', 'gen_ai_client_operation_duration_seconds_count', { share: 1 }),
  ];
}

interface Of {
  labels?: Record<string, string>;
  /** Growth a call. */
  share: number;
}

function growing(service: string, name: string, { labels = {}, share }: Of): Series[] {
  const from = new Date(HOURS.now.getTime() - HOUR_MS);
  return [grows(service, name, { labels, perStep: share * CALLS, from })];
}

function grows(
  service: string,
  name: string,
  of: { labels: Record<string, string>; perStep: number | ((at: Date) => number); from: Date },
): Series {
  const over = { from: of.from, to: HOURS.now, stepMs: STEP_MS, perStep: of.perStep };
  return counter(name, { service_name: service, ...of.labels }, over);
}

function histogram(service: string, name: string, cumulative: Record<string, number>): Series[] {
  return Object.entries(cumulative).flatMap(([le, share]) =>
    growing(service, `${name}_bucket`, { labels: { le }, share }),
  );
}

function usage(service: string): Series[] {
  const name = 'gen_ai_client_token_usage';
  return [
    ['input', 200],
    ['output', 100],
  ].flatMap(([kind, share]) => [
    ...growing(service, `${name}_sum`, { labels: { gen_ai_token_type: String(kind) }, share: Number(share) }),
    ...growing(service, `${name}_count`, { labels: { gen_ai_token_type: String(kind) }, share: 1 }),
  ]);
}

function usageNext(service: string): Series[] {
  return [
    ...growing(service, 'gen_ai_client_inference_usage_input_tokens_total', { share: 200 }),
    ...growing(service, 'gen_ai_client_inference_usage_output_tokens_total', { share: 100 }),
  ];
}

function openTelemetry(
  service: string,
  { duration, tokens }: { duration: string; tokens: (service: string) => Series[] },
): Series[] {
  return [
    ...growing(service, `${duration}_count`, { share: 0.95 }),
    ...growing(service, `${duration}_count`, { labels: { error_type: 'timeout' }, share: 0.05 }),
    ...histogram(service, duration, LATENCY),
    ...tokens(service),
  ];
}

/** Its errors are an exception counter of the vendor's. */
function openLlmetry(service: string): Series[] {
  const duration = 'gen_ai_client_operation_duration_seconds';
  return [
    ...growing(service, `${duration}_count`, { share: 1 }),
    ...histogram(service, duration, LATENCY),
    ...growing(service, 'llm_openai_chat_completions_exceptions_total', { share: 0.05 }),
    ...growing(service, 'gen_ai_client_generation_choices_total', { share: 1 }),
    ...usage(service),
  ];
}

function byUser(service: string, name: string, perCall: number): Series[] {
  return [
    ...growing(service, name, { labels: { user: 'busy' }, share: perCall * 0.75 }),
    ...growing(service, name, { labels: { user: 'quiet' }, share: perCall * 0.05 }),
    ...growing(service, name, { labels: { user: 'None' }, share: perCall * 0.2 }),
  ];
}

function liteLlm(service: string, prefix: string): Series[] {
  return [
    ...growing(service, `${prefix}proxy_total_requests_metric_total`, { share: 1 }),
    ...growing(service, `${prefix}proxy_failed_requests_metric_total`, { share: 0.05 }),
    ...histogram(service, `${prefix}request_total_latency_metric`, LATENCY),
    ...byUser(service, `${prefix}total_tokens_metric_total`, 300),
    ...byUser(service, `${prefix}requests_metric_total`, 1),
    ...growing(service, `${prefix}spend_metric_total`, { share: 0.02 }),
  ];
}

function vLlm(service: string): Series[] {
  const finished = 'vllm:request_success_total';
  return [
    ...growing(service, finished, { labels: { finished_reason: 'stop' }, share: 0.95 }),
    ...growing(service, finished, { labels: { finished_reason: 'abort' }, share: 0.05 }),
    ...histogram(service, 'vllm:e2e_request_latency_seconds', LATENCY),
    ...growing(service, 'vllm:request_prompt_tokens_sum', { share: 200 }),
    ...growing(service, 'vllm:request_generation_tokens_sum', { share: 100 }),
  ];
}

function ownNames(service: string): Series[] {
  const labels = { name: 'quality' };
  const from = new Date(HOURS.weekAgo.getTime() - HOUR_MS);
  const score = (at: Date) => CALLS * (isTrouble(at) ? 0.2 : 0.8);
  const similarity = { name: 'semantic_similarity' };
  return [
    grows(service, 'llm_eval_score_sum', { labels, perStep: score, from }),
    grows(service, 'llm_eval_score_count', { labels, perStep: CALLS, from }),
    ...growing(service, 'llm_eval_score_sum', { labels: similarity, share: 0.9 }),
    ...growing(service, 'llm_eval_score_count', { labels: similarity, share: 1 }),
    ...byUser(service, 'llm_requests_total', 1),
    ...byUser(service, 'llm_tokens_total', 300),
    ...growing(service, 'llm_cost_usd_total', { share: 0.02 }),
    ...growing(service, 'llm_errors_total', { share: 0.05 }),
    ...growing(service, 'llm_refusals_total', { share: 0.02 }),
    grows(service, 'llm_format_ok_total', { labels: {}, perStep: CALLS * 0.97, from }),
    grows(service, 'llm_format_checked_total', { labels: {}, perStep: CALLS, from }),
    ...histogram(service, 'llm_request_duration_seconds', LATENCY),
    ...histogram(service, 'llm_output_chars', { '100': 0.25, '200': 0.75, '+Inf': 1 }),
    ...histogram(service, 'llm_request_tokens', { '1000': 0.96, '2000': 1, '+Inf': 1 }),
    bornWith(service, 'pii', 3),
  ];
}

/** A counter that appeared four minutes ago with its first events in it. */
function bornWith(service: string, kind: string, value: number): Series {
  const ago = (minutes: number) => new Date(HOURS.now.getTime() - minutes * 60_000);
  const labels = { service_name: service, kind };
  return { name: 'llm_safety_violations_total', labels, samples: [4, 3, 2, 1].map((m) => [ago(m), value]) };
}
