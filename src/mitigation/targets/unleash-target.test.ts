import { afterEach, describe, expect, test } from 'vitest';
import {
  type DoubleFlag,
  type DoubleStrategy,
  rollout,
  startUnleash,
  UNLEASH_TOKEN,
} from '../../../test/harness/unleash-double.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN, SHORT_MS, survivesFaults } from '../../../test/harness/vendor-faults.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import { unleashTarget } from './unleash-target.ts';

const flag = (enabled: boolean, strategies: DoubleStrategy[] = []): DoubleFlag => ({
  environments: {
    production: { enabled, strategies },
    development: { enabled: !enabled, strategies: [rollout('77')] },
  },
});

function targetAt(url: string, change: object = {}) {
  const config = vendorTargetConfig.parse({
    type: 'unleash',
    url,
    token: UNLEASH_TOKEN,
    feature: 'answers',
    types: { refund: 'answers.refund' },
    splits: { 'gpt-4o-mini': { feature: 'cheap model' } },
    allow_private: true,
    ...change,
  });
  if (config.type !== 'unleash') throw new Error(config.type);
  return unleashTarget(config, { environment: 'production' }, { timeoutMs: SHORT_MS });
}

survivesFaults('Unleash', async () => {
  const double = await startUnleash({
    answers: flag(true),
    'answers.refund': flag(true),
    'cheap model': flag(true, [rollout('0')]),
  });
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: 'enabled', from: true, to: false },
    accepted: { status: 200 },
    secret: UNLEASH_TOKEN,
  };
});

describe('Unleash', () => {
  let double: VendorDouble;
  afterEach(() => double.close());

  const serving = async (cheap: DoubleFlag, events: Record<string, object[]> = {}) => {
    double = await startUnleash(
      { answers: flag(true), 'answers.refund': flag(false), 'cheap model': cheap },
      events,
    );
    return targetAt(double.url);
  };
  const shareOf = async (cheap: DoubleFlag) => {
    const state = await (await serving(cheap)).read();
    return state['split:gpt-4o-mini'];
  };

  test('each-setting-is-read-from-its-flag-in-the-environment-of-the-service', async () => {
    const target = await serving(flag(true, [rollout('25')]));
    expect(await target.read()).toEqual({ enabled: true, 'type:refund': false, 'split:gpt-4o-mini': 25 });
    expect(target.can('type:refund')).toBe(true);
    expect(target.can('type:other')).toBe(false);
    expect(target.can('model')).toBe(false);
  });

  test('one-wrong-name-does-not-keep-the-others-from-being-read-and-changed', async () => {
    await serving(flag(true));
    const target = targetAt(double.url, { types: { refund: 'no such flag' } });
    expect(await target.read()).toEqual({ enabled: true, 'split:gpt-4o-mini': 100 });
    expect(await failureOf(target.read(['type:refund']))).toMatchObject({ code: '404' });
    await target.apply({ setting: 'enabled', from: true, to: false }, RUN);
    expect(await target.read()).toMatchObject({ enabled: false });
    const lost = targetAt(double.url, { feature: 'gone', types: {}, splits: {} });
    expect(await failureOf(lost.read())).toMatchObject({ code: '404', retryable: false });
  });

  test('the-environment-may-have-another-name-there', async () => {
    await serving(flag(true));
    const target = targetAt(double.url, { environment: 'development' });
    expect(await target.read()).toMatchObject({ enabled: false, 'split:gpt-4o-mini': 0 });
    expect(target.describe()).toContain('default/development');
  });

  test.each([
    ['off-is-no-share', flag(false, [rollout('50')]), 0],
    ['on-without-a-strategy-is-everybody', flag(true), 100],
    ['150-is-no-share', flag(true, [rollout('150')]), undefined],
    ['a-word-is-no-share', flag(true, [rollout('abc')]), undefined],
    ['a-rollout-to-some-is-no-share', flag(true, [rollout('50', { constraints: [{}] })]), undefined],
    ['a-segment-is-no-share', flag(true, [rollout('50', { segments: [1] })]), undefined],
    ['a-disabled-strategy-is-no-share', flag(true, [rollout('50', { disabled: true })]), undefined],
    ['two-strategies-are-no-share', flag(true, [rollout('50'), rollout('10')]), undefined],
  ])('%s', async (_, cheap, share) => {
    expect(await shareOf(cheap)).toBe(share);
  });

  test('a-rollout-is-changed-in-place-and-keeps-its-stickiness', async () => {
    const sticky = rollout('10', { parameters: { rollout: '10', stickiness: 'userId', groupId: 'g' } });
    const target = await serving(flag(true, [sticky]));
    await target.apply({ setting: 'split:gpt-4o-mini', from: 10, to: 25 }, RUN);
    expect(sticky.parameters).toEqual({ rollout: '25', stickiness: 'userId', groupId: 'g' });
    expect(double.changes()).toHaveLength(1);
  });

  test('a-flag-that-is-off-gets-its-rollout-before-it-is-turned-on', async () => {
    const target = await serving(flag(false));
    await target.apply({ setting: 'split:gpt-4o-mini', from: 0, to: 10 }, RUN);
    expect(double.changes().map(({ path }) => path.split('/production')[1])).toEqual(['/strategies', '/on']);
    expect(await target.read()).toMatchObject({ 'split:gpt-4o-mini': 10 });
  });

  test('a-rollout-that-cannot-be-told-is-not-overwritten', async () => {
    const target = await serving(flag(true, [rollout('50'), rollout('10')]));
    const error = await failureOf(target.apply({ setting: 'split:gpt-4o-mini', from: 0, to: 10 }, RUN));
    expect(error).toMatchObject({ code: 'UNKNOWN_STATE', retryable: false });
    expect(double.changes()).toHaveLength(0);
  });

  test.each([150, -5, 12.5, 'abc', null, true])('%s-percent-is-never-sent', async (to) => {
    const target = await serving(flag(true, [rollout('10')]));
    expect(target.refuses({ setting: 'split:gpt-4o-mini', to })).toContain('whole number');
    const error = await failureOf(target.apply({ setting: 'split:gpt-4o-mini', from: 10, to }, RUN));
    expect(error.code).toBe('VALUE');
    expect(double.requests).toHaveLength(0);
  });

  test('its-events-say-who-changed-what-and-when', async () => {
    const event = (type: string, minute: number, more: object = {}) => ({
      type,
      createdBy: 'ops',
      createdAt: new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString(),
      environment: 'production',
      ...more,
    });
    const target = await serving(flag(true), {
      answers: [
        event('feature-environment-disabled', 5),
        event('feature-environment-enabled', 4, { environment: 'development' }),
        event('feature-archived', 3, { environment: null, createdBy: null }),
      ],
      'cheap model': [event('feature-strategy-update', 9)],
    });
    expect(await target.changes?.(new Date('2026-01-05T10:00:00Z'))).toEqual([
      {
        setting: 'split:gpt-4o-mini',
        at: new Date('2026-01-05T10:09:00Z'),
        by: 'ops',
        what: 'feature-strategy-update',
      },
      {
        setting: 'enabled',
        at: new Date('2026-01-05T10:05:00Z'),
        by: 'ops',
        what: 'feature-environment-disabled',
      },
      { setting: 'enabled', at: new Date('2026-01-05T10:03:00Z'), by: null, what: 'feature-archived' },
    ]);
  });
});
