import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { ExternalError, messageOf } from '../errors.ts';

const SERVICE = 'Slack';
/** Slack's own trouble, worth another try; it may have done the work all the same. */
const PASSING = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/** What a Web API call threw, as our one kind of failure. */
export function asSlackFailure(method: string, thrown: unknown): ExternalError {
  if (thrown instanceof ExternalError) return thrown;
  const base = { service: SERVICE, cause: thrown };
  const message = `${method}: ${messageOf(thrown)}`;
  if (thrown instanceof WebAPIRateLimitedError) {
    return new ExternalError(message, {
      ...base,
      retryable: true,
      retryAfterMs: Math.max(1, thrown.retryAfter) * 1000,
    });
  }
  if (thrown instanceof WebAPIPlatformError) {
    const code = thrown.data.error;
    const passing = PASSING.has(code);
    return new ExternalError(`${method}: ${code}`, {
      ...base,
      code,
      retryable: passing,
      outcomeUnknown: passing,
    });
  }
  if (thrown instanceof WebAPIHTTPError) {
    const retryable = thrown.statusCode >= 500 || thrown.statusCode === 429;
    return new ExternalError(message, {
      ...base,
      code: String(thrown.statusCode),
      retryable,
      outcomeUnknown: retryable,
    });
  }
  if (thrown instanceof WebAPIRequestError) {
    return new ExternalError(message, { ...base, retryable: true, outcomeUnknown: true });
  }
  // A 429 without Retry-After arrives as a plain Error (node-slack-sdk #1421).
  if (/retry/i.test(messageOf(thrown))) {
    return new ExternalError(message, { ...base, retryable: true, retryAfterMs: 5_000 });
  }
  return new ExternalError(message, { ...base, retryable: true, outcomeUnknown: true });
}
