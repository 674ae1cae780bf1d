/** One finished call to a model, as its span told it. Text is kept apart from the rest once it is stored. */
export interface Call {
  /** 32 hex digits. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
  service: string;
  environment: string;
  /** End of the span. */
  at: Date;
  requestModel: string | null;
  responseModel: string | null;
  /** Sampling parameters under their short names: temperature, top_p, max_tokens … */
  parameters: Record<string, number | string>;
  promptName: string | null;
  promptVersion: string | null;
  promptSha256: string | null;
  userId: string | null;
  sessionId: string | null;
  endpoint: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  outputChars: number | null;
  costUsd: number | null;
  latencyMs: number | null;
  /** Null when the call succeeded, else its error type or message. */
  error: string | null;
  /** The last user message. */
  input: string | null;
  output: string | null;
  /** How relevant the chunks were that were retrieved for it; absent where the call does not say. */
  retrieval?: Retrieval | null;
}

/** Relevance scores of retrieved chunks, on the retriever's own scale: more is better. */
export interface Retrieval {
  chunks: number;
  least: number;
  mean: number;
  best: number;
}

/** What somebody (a judge, a check, a user) said about one call. */
export interface CallEvaluation {
  traceId: string | null;
  spanId: string | null;
  service: string;
  environment: string;
  at: Date;
  /** `quality` (0..1) and `format` (0 or 1) feed the rules; any other name is kept. */
  name: string;
  value: number | null;
  label: string | null;
  explanation: string | null;
  evaluator: string | null;
}

/** Half open: `from` ≤ time < `to`. */
export interface Interval {
  from: Date;
  to: Date;
}

/** The parameters that shape an answer and are set by configuration: a seed or a user id is another with every call. */
export const SAMPLING_PARAMETERS = [
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'max_tokens',
] as const;
