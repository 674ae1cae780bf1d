import { WebClient } from '@slack/web-api';
import { ExternalError } from '../errors.ts';
import { asSlackFailure } from './errors.ts';

/** One call of the Web API; `lane` is the channel that the limit of `chat.postMessage` counts by. */
export interface WebApi {
  call<T>(method: string, work: (client: WebClient) => Promise<T>, channelId?: string): Promise<T>;
  readonly client: WebClient;
}

/**
 * The Web API without the client's own retries, which repeat lost posts and stop every method for one 429.
 * A throttled method (and channel) is not called again before its time; the caller's job waits instead.
 */
export function createWebApi({
  token,
  ...options
}: {
  token: string;
  slackApiUrl: string;
  fetch?: typeof fetch;
}): WebApi {
  const client = new WebClient(token, {
    ...options,
    timeout: 10_000,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const pausedUntil = new Map<string, number>();

  return {
    client,
    async call(method, work, channelId) {
      const lane = method === 'chat.postMessage' ? `${method} ${channelId ?? ''}` : method;
      const waitMs = (pausedUntil.get(lane) ?? 0) - Date.now();
      if (waitMs > 0) throw throttled(method, waitMs);
      try {
        return await work(client);
      } catch (thrown) {
        const failure = asSlackFailure(method, thrown);
        if (failure.retryAfterMs !== undefined) pausedUntil.set(lane, Date.now() + failure.retryAfterMs);
        throw failure;
      }
    },
  };
}

function throttled(method: string, waitMs: number): ExternalError {
  return new ExternalError(`${method}: waiting for Slack's rate limit`, {
    service: 'Slack',
    code: 'ratelimited',
    retryable: true,
    retryAfterMs: waitMs,
  });
}
