import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../src/demo/loopback-server.ts';
import type { ExternalError } from '../../src/errors.ts';
import type { Step } from '../../src/mitigation/plan.ts';
import type { VendorTarget } from '../../src/mitigation/targets/vendor-target.ts';
import type { VendorDouble } from './vendor-double.ts';

/** Longer than a loopback answer takes, and short enough to wait for. */
export const SHORT_MS = 400;
export const RUN = { planHash: 'c0ffee'.repeat(10), idempotencyKey: 'mitigation-7-0-c0ffeec0ffeec0ff' };

export interface FaultScene {
  double: VendorDouble;
  /** With a deadline of SHORT_MS. */
  target(change: { allow_private: boolean }): VendorTarget;
  /** Changes one thing, with one request. */
  step: Step;
  /** How this vendor says that it made the change. */
  accepted: { status: number; body?: unknown };
  secret: string;
}

/** Rejected with, or a failing test. */
export async function failureOf(promise: Promise<unknown>): Promise<ExternalError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ name: 'ExternalError' });
  return thrown as ExternalError;
}

/** What every vendor's target must survive. */
export function survivesFaults(name: string, start: () => Promise<FaultScene>): void {
  describe(`${name} when things go wrong`, () => {
    let scene: FaultScene;
    let elsewhere: LoopbackServer;
    let visits: number;
    let target: VendorTarget;
    beforeEach(async () => {
      visits = 0;
      elsewhere = await listenOnLoopback(async (_, response) => {
        visits += 1;
        response.end('{}');
      });
      scene = await start();
      target = scene.target({ allow_private: true });
    });
    afterEach(async () => {
      await scene.double.close();
      await elsewhere.close();
    });

    const valueNow = async () => (await target.read([scene.step.setting]))[scene.step.setting] ?? null;
    const apply = (step = scene.step) => target.apply(step, RUN);
    const answering = (status: number, more: { headers?: Record<string, string>; body?: unknown } = {}) =>
      scene.double.next('change', {
        kind: 'answer',
        reply: { status, body: { message: 'no' }, ...more },
      });
    const isUntouched = async () => expect(await valueNow()).toBe(scene.step.from);

    test('the-same-change-twice-is-sent-once-and-shows-in-the-read-back', async () => {
      await isUntouched();
      await apply();
      expect(await valueNow()).toBe(scene.step.to);
      const sent = scene.double.changes().length;
      await apply();
      expect(scene.double.changes()).toHaveLength(sent);
      expect(sent).toBeGreaterThan(0);
    });

    test('undoing-it-gives-back-what-was', async () => {
      await apply();
      const { setting, from, to } = scene.step;
      await apply({ setting, from: to, to: from });
      await isUntouched();
    });

    test('a-world-that-changed-in-between-is-left-alone', async () => {
      await apply();
      const { setting, from } = scene.step;
      const sent = scene.double.changes().length;
      const error = await failureOf(apply({ setting, from: 'something else', to: from }));
      expect(error).toMatchObject({ code: 'STALE', retryable: false, outcomeUnknown: false });
      expect(scene.double.changes()).toHaveLength(sent);
    });

    test('a-setting-that-it-cannot-change-is-refused-before-anything-is-sent', async () => {
      expect(target.can('disclaimer')).toBe(false);
      const error = await failureOf(apply({ setting: 'disclaimer', from: null, to: 'Check this.' }));
      expect(error).toMatchObject({ code: 'VALUE', retryable: false, outcomeUnknown: false });
      expect(scene.double.requests).toHaveLength(0);
    });

    test('401-is-final-changes-nothing-and-keeps-the-secret', async () => {
      answering(401, { body: { message: `token ${scene.secret} is not known\nhere` } });
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: '401', retryable: false, outcomeUnknown: false });
      expect(error.message).toContain('check the token');
      expect(error.message).not.toContain(scene.secret);
      expect(error.message).not.toContain('\n');
      await isUntouched();
    });

    test('a-read-that-is-refused-is-a-failure-and-not-an-empty-state', async () => {
      scene.double.next('ask', { kind: 'answer', reply: { status: 401, body: { message: 'no' } } });
      expect(await failureOf(target.read([scene.step.setting]))).toMatchObject({ code: '401' });
    });

    test('409-changed-nothing', async () => {
      answering(409);
      expect(await failureOf(apply())).toMatchObject({ code: '409', outcomeUnknown: false });
      await isUntouched();
    });

    test('429-waits-as-long-as-it-is-told', async () => {
      answering(429, { headers: { 'retry-after': '7' } });
      expect(await failureOf(apply())).toMatchObject({
        code: '429',
        retryable: true,
        retryAfterMs: 7_000,
        outcomeUnknown: false,
      });
      await isUntouched();
    });

    test('503-may-have-changed-something', async () => {
      answering(503);
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: '503', retryable: true, outcomeUnknown: true });
    });

    test('an-answer-that-never-comes-is-unknown-and-the-change-is-not-sent-again', async () => {
      scene.double.next('change', { kind: 'hang' });
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true, outcomeUnknown: true });
      expect(await valueNow()).toBe(scene.step.to);
      const sent = scene.double.changes().length;
      await apply();
      expect(scene.double.changes()).toHaveLength(sent);
    });

    test('a-success-that-changed-nothing-shows-in-the-read-back', async () => {
      scene.double.next('change', { kind: 'answer', reply: scene.accepted });
      await apply();
      await isUntouched();
    });

    test('a-redirect-to-a-private-address-is-not-followed', async () => {
      answering(307, { headers: { location: elsewhere.url } });
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: '307', retryable: false });
      scene.double.next('ask', {
        kind: 'answer',
        reply: { status: 302, headers: { location: elsewhere.url } },
      });
      expect(await failureOf(target.read([scene.step.setting]))).toMatchObject({ code: '302' });
      expect(visits).toBe(0);
    });

    test('an-html-page-is-no-answer', async () => {
      scene.double.next('change', { kind: 'html' });
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: 'NOT_UNDERSTOOD', retryable: false, outcomeUnknown: true });
      await isUntouched();
      scene.double.next('ask', { kind: 'html' });
      expect(await failureOf(target.read([scene.step.setting]))).toMatchObject({ code: 'NOT_UNDERSTOOD' });
    });

    test('an-answer-of-another-shape-is-no-state', async () => {
      scene.double.next('ask', { kind: 'answer', reply: { status: 200, body: { unrelated: true } } });
      const error = await failureOf(apply());
      expect(error).toMatchObject({ code: 'NOT_UNDERSTOOD', outcomeUnknown: false });
      expect(scene.double.changes()).toHaveLength(0);
    });

    test('an-answer-without-end-is-cut-off', async () => {
      const body = { message: 'x'.repeat(3 * 1024 * 1024) };
      scene.double.next('ask', { kind: 'answer', reply: { status: 200, body } });
      expect((await failureOf(target.read([scene.step.setting]))).message).toContain('larger than');
    });

    test('a-private-address-is-dialled-only-when-that-is-allowed', async () => {
      const error = await failureOf(scene.target({ allow_private: false }).apply(scene.step, RUN));
      expect(error).toMatchObject({ code: 'ADDRESS_REFUSED', retryable: false, outcomeUnknown: false });
      expect(scene.double.requests).toHaveLength(0);
    });

    test('its-name-is-part-of-the-plan-and-stays-the-same', async () => {
      const before = target.describe();
      await apply();
      expect(target.describe()).toBe(before);
      expect(target.byHand?.()).toMatch(/^https?:\/\//);
    });
  });
}
