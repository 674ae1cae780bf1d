import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startRealUnleash } from '../../../test/harness/unleash-real.ts';
import { failureOf, RUN } from '../../../test/harness/vendor-faults.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import { unleashTarget } from './unleash-target.ts';

const started = await startRealUnleash();
if (typeof started === 'string') console.warn(`skipped: ${started}`);

const SPLIT = 'split:gpt-4o-mini';
const USERS = Array.from({ length: 1_000 }, (_, index) => ({ userId: `user-${index}` }));

describe.skipIf(typeof started === 'string')('a target on the real Unleash', () => {
  const unleash = () => {
    if (typeof started === 'string') throw new Error(started);
    return started;
  };
  const targetWith = (change: object = {}) => {
    const config = vendorTargetConfig.parse({
      type: 'unleash',
      url: unleash().url,
      token: unleash().token,
      environment: 'development',
      feature: 'answers',
      types: { refund: 'answers-refund' },
      splits: { 'gpt-4o-mini': { feature: 'cheap-model', stickiness: 'userId' } },
      allow_private: true,
      ...change,
    });
    if (config.type !== 'unleash') throw new Error(config.type);
    return unleashTarget(config, { environment: 'production' });
  };
  beforeAll(async () => {
    for (const name of ['answers', 'answers-refund', 'cheap-model'])
      await unleash().admin('POST', '/projects/default/features', { name, type: 'kill-switch' });
    await unleash().admin('POST', '/projects/default/features/answers/environments/development/on');
  });
  afterAll(async () => {
    if (typeof started !== 'string') await started.stop();
  });

  test('a-flag-is-turned-off-and-on-in-its-environment-and-its-own-sdk-obeys', async () => {
    const target = targetWith();
    const client = await unleash().client();
    const isOn = () => client.isEnabled('answers', { userId: 'user-1' });
    expect(isOn()).toBe(true);
    await target.apply({ setting: 'enabled', from: true, to: false }, RUN);
    expect(await target.read()).toMatchObject({ enabled: false });
    await vi.waitFor(() => expect(isOn()).toBe(false), { timeout: 10_000 });
    await target.apply({ setting: 'enabled', from: false, to: true }, RUN);
    expect(await target.read()).toMatchObject({ enabled: true });
    await vi.waitFor(() => expect(isOn()).toBe(true), { timeout: 10_000 });
    client.destroy();
  });

  test('traffic-is-shifted-in-steps-and-the-same-users-stay', async () => {
    const target = targetWith();
    const client = await unleash().client();
    const shifted = () =>
      USERS.filter((user) => client.isEnabled('cheap-model', user)).map((user) => user.userId);
    let from = 0;
    let before: string[] = [];
    for (const to of [10, 25, 50, 100]) {
      await target.apply({ setting: SPLIT, from, to }, RUN);
      expect(await target.read()).toMatchObject({ [SPLIT]: to });
      await vi.waitFor(() => expect(Math.abs(shifted().length - to * 10)).toBeLessThan(50), {
        timeout: 10_000,
      });
      const now = shifted();
      expect(now).toEqual(expect.arrayContaining(before));
      before = now;
      from = to;
    }
    await target.apply({ setting: SPLIT, from: 100, to: 0 }, RUN);
    expect(await target.read()).toMatchObject({ [SPLIT]: 0 });
    await vi.waitFor(() => expect(shifted()).toEqual([]), { timeout: 10_000 });
    client.destroy();
  });

  test('a-rollout-that-the-server-took-and-that-is-no-percentage-is-not-told', async () => {
    const base = '/projects/default/features/answers-refund/environments/development';
    const parameters = { rollout: '150', stickiness: 'default', groupId: 'g' };
    const strategy = { name: 'flexibleRollout', parameters, constraints: [], segments: [] };
    await unleash().admin('POST', `${base}/strategies`, strategy);
    await unleash().admin('POST', `${base}/on`);
    const target = targetWith({ splits: { refunds: { feature: 'answers-refund' } } });
    expect(await target.read()).toEqual({ enabled: true, 'type:refund': true });
    expect(target.refuses({ setting: 'split:refunds', to: 150 })).toContain('whole number');
  });

  test('its-events-say-who-and-when', async () => {
    const since = Date.now();
    const target = targetWith();
    await target.apply({ setting: 'type:refund', from: true, to: false }, RUN);
    const [newest] = (await target.changes?.(new Date(0))) ?? [];
    expect(newest).toMatchObject({
      setting: 'type:refund',
      by: 'admin',
      what: 'feature-environment-disabled',
    });
    expect(newest?.at.getTime()).toBeGreaterThan(since - 60_000);
  });

  test('a-wrong-token-an-unknown-flag-and-an-unknown-environment-are-told-apart', async () => {
    const step = { setting: 'enabled', from: true, to: false };
    const wrong = await failureOf(targetWith({ token: '*:*.wrong' }).apply(step, RUN));
    expect(wrong).toMatchObject({ code: '401', retryable: false });
    expect(await failureOf(targetWith({ feature: 'nope' }).read(['enabled']))).toMatchObject({ code: '404' });
    const nowhere = targetWith({ environment: 'nowhere' });
    expect(await nowhere.read()).toEqual({});
    expect(await failureOf(nowhere.apply(step, RUN))).toMatchObject({ code: 'UNKNOWN_STATE' });
  });
});
