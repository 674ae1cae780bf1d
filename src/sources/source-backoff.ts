import { ExternalError } from '../errors.ts';
import { backoffMs } from '../retry.ts';
import type { MetricSource } from './metric-source.ts';

/**
 * The same source, left in peace after it failed. Policy: after "unreachable" it is asked again as late as it said
 * itself, else after a wait that doubles up to a minute, with jitter; until then reading fails at once with the last
 * failure and the rest of the wait as `retryAfterMs`.
 */
export function withBackoff(
  source: MetricSource,
  { now, random = Math.random }: { now(): Date; random?: () => number },
): MetricSource {
  let failures = 0;
  let pause: { until: number; last: ExternalError } | undefined;

  return {
    name: source.name,
    async read(questions, at) {
      const waitMs = pause === undefined ? 0 : pause.until - now().getTime();
      if (pause !== undefined && waitMs > 0) throw stillWaiting(pause.last, waitMs);
      try {
        const answers = await source.read(questions, at);
        failures = 0;
        pause = undefined;
        return answers;
      } catch (thrown) {
        if (thrown instanceof ExternalError) {
          failures += 1;
          const pauseMs = Math.max(thrown.retryAfterMs ?? 0, backoffMs(failures, random));
          pause = { until: now().getTime() + pauseMs, last: thrown };
        }
        throw thrown;
      }
    },
  };
}

function stillWaiting(last: ExternalError, waitMs: number): ExternalError {
  return new ExternalError(last.message, {
    service: last.service,
    code: last.code,
    retryable: last.retryable,
    retryAfterMs: waitMs,
    cause: last,
  });
}
