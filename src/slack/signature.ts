import { createHmac, timingSafeEqual } from 'node:crypto';

const WINDOW_SECONDS = 300;

/** Signed by Slack's `v0` scheme over the raw bytes, and at most five minutes away from `nowMs` in either direction. */
export function isSignedBySlack(
  request: { rawBody: Buffer; timestamp: unknown; signature: unknown },
  check: { secret: string; nowMs: number },
): boolean {
  const { rawBody, timestamp, signature } = request;
  if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) return false;
  if (typeof signature !== 'string' || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(check.nowMs / 1000 - Number(timestamp)) > WINDOW_SECONDS) return false;
  const wanted = createHmac('sha256', check.secret).update(`v0:${timestamp}:`).update(rawBody).digest();
  return timingSafeEqual(wanted, Buffer.from(signature.slice(3), 'hex'));
}
