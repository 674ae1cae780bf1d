/** A service outside (Slack, PagerDuty, a target, a source) failed. `retryAfterMs` is set when it said how long. */
export class ExternalError extends Error {
  override readonly name = 'ExternalError';
  readonly service: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Slack's error word or an HTTP status, for callers that know what to do about it. */
  readonly code: string | undefined;
  /** True when the request may have taken effect although no answer arrived. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, details: ExternalErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.service = details.service;
    this.retryable = details.retryable;
    this.retryAfterMs = details.retryAfterMs;
    this.code = details.code;
    this.outcomeUnknown = details.outcomeUnknown ?? false;
  }
}

export interface ExternalErrorDetails {
  service: string;
  retryable: boolean;
  retryAfterMs?: number | undefined;
  code?: string | undefined;
  outcomeUnknown?: boolean;
  cause?: unknown;
}

/** What a person gave us is wrong: each problem names the field and the cure. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** One line of text for any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
