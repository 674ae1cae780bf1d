import { afterEach, describe, expect, test } from 'vitest';
import { flagInstructions, problemOf } from '../../../test/harness/launchdarkly-contract.ts';
import {
  type DoubleFlag,
  LAUNCHDARKLY_TOKEN,
  startLaunchDarkly,
} from '../../../test/harness/launchdarkly-double.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN, SHORT_MS, survivesFaults } from '../../../test/harness/vendor-faults.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import { launchDarklyTarget } from './launchdarkly-target.ts';

const VARIATIONS = [
  { _id: 'id-full', value: 'gpt-4o', name: 'Full' },
  { _id: 'id-mini', value: 'gpt-4o-mini', name: 'Mini' },
  { _id: 'id-off', value: 'none', name: 'Off' },
];
const SPLIT = 'split:gpt-4o-mini';

const flag = (key: string, there: Partial<DoubleFlag['environments'][string]> = {}): DoubleFlag => ({
  key,
  variations: VARIATIONS,
  environments: {
    production: { on: true, offVariation: 2, fallthrough: { variation: 0 }, ...there },
    test: { on: false, offVariation: 2, fallthrough: { variation: 0 } },
  },
});

function targetAt(url: string, change: object = {}) {
  const config = vendorTargetConfig.parse({
    type: 'launchdarkly',
    url,
    token: LAUNCHDARKLY_TOKEN,
    project: 'shop',
    flag: 'answers',
    splits: { 'gpt-4o-mini': { flag: 'answers.model', variation: 'gpt-4o-mini', rest: 'Full' } },
    block: { flag: 'answers.access', variation: 'id-off' },
    allow_private: true,
    ...change,
  });
  if (config.type !== 'launchdarkly') throw new Error(config.type);
  return launchDarklyTarget(config, { environment: 'production' }, { timeoutMs: SHORT_MS });
}

survivesFaults('LaunchDarkly', async () => {
  const double = await startLaunchDarkly([flag('answers'), flag('answers.model'), flag('answers.access')]);
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: 'enabled', from: true, to: false },
    accepted: { status: 200, body: flag('answers') },
    secret: LAUNCHDARKLY_TOKEN,
  };
});

describe('LaunchDarkly', () => {
  let double: VendorDouble;
  afterEach(() => double.close());

  const serving = async (flags: { model?: DoubleFlag; access?: DoubleFlag } = {}) => {
    const { model = flag('answers.model'), access = flag('answers.access') } = flags;
    double = await startLaunchDarkly([flag('answers'), model, access]);
    return targetAt(double.url);
  };
  const sentInstructions = () =>
    double.changes().map(({ body }) => (body as { instructions: unknown }).instructions);

  test('a-rollout-is-sent-in-thousandths-of-a-percent', async () => {
    const target = await serving();
    await target.apply({ setting: SPLIT, from: 0, to: 10 }, RUN);
    expect(sentInstructions()).toEqual([
      [
        {
          kind: 'updateFallthroughVariationOrRollout',
          rolloutWeights: { 'id-mini': 10_000, 'id-full': 90_000 },
          rolloutContextKind: 'user',
        },
      ],
    ]);
    expect((await target.read())[SPLIT]).toBe(10);
    await target.apply({ setting: SPLIT, from: 10, to: 100 }, RUN);
    expect((await target.read())[SPLIT]).toBe(100);
  });

  test('a-flag-that-is-off-is-turned-on-in-the-same-patch-as-its-weights', async () => {
    const target = await serving({ model: flag('answers.model', { on: false, offVariation: 0 }) });
    expect((await target.read())[SPLIT]).toBe(0);
    await target.apply({ setting: SPLIT, from: 0, to: 25 }, RUN);
    expect(double.changes()).toHaveLength(1);
    expect((await target.read())[SPLIT]).toBe(25);
  });

  test('a-share-that-could-not-be-given-back-is-not-told', async () => {
    const variations = [
      { variation: 0, weight: 50_000 },
      { variation: 1, weight: 25_000 },
      { variation: 2, weight: 25_000 },
    ];
    const target = await serving({
      model: flag('answers.model', { fallthrough: { rollout: { variations } } }),
    });
    expect(await target.read()).toEqual({ enabled: true });
    const error = await failureOf(target.apply({ setting: SPLIT, from: 0, to: 10 }, RUN));
    expect(error.code).toBe('UNKNOWN_STATE');
  });

  test('one-user-is-blocked-and-let-in-again-and-the-others-stay', async () => {
    const access = flag('answers.access', { targets: [{ variation: 2, values: ['mallory'] }] });
    const target = await serving({ access });
    const setting = 'limit:user eve';
    expect(target.can(setting)).toBe(true);
    expect(await target.read([setting, 'limit:user mallory'])).toMatchObject({
      [setting]: null,
      'limit:user mallory': 0,
    });
    await target.apply({ setting, from: null, to: 0 }, RUN);
    expect(sentInstructions()).toEqual([
      [{ kind: 'addTargets', contextKind: 'user', variationId: 'id-off', values: ['eve'] }],
    ]);
    expect(await target.read([setting])).toMatchObject({ [setting]: 0 });
    await target.apply({ setting, from: 0, to: null }, RUN);
    expect(access.environments['production']?.targets).toEqual([
      expect.objectContaining({ variation: 2, values: ['mallory'] }),
    ]);
  });

  test('a-user-with-a-variation-of-his-own-is-not-touched', async () => {
    const access = flag('answers.access', { targets: [{ variation: 1, values: ['eve'] }] });
    const target = await serving({ access });
    const error = await failureOf(target.apply({ setting: 'limit:user eve', from: null, to: 0 }, RUN));
    expect(error).toMatchObject({ code: 'UNKNOWN_STATE', retryable: false });
  });

  test('a-rate-is-refused-since-only-blocking-exists', async () => {
    const target = await serving();
    expect(target.refuses({ setting: 'limit:user eve', to: 5 })).toContain('not limit to 5');
    expect(target.refuses({ setting: 'limit:user eve', to: 0 })).toBeNull();
    expect(target.can('limit:session s1')).toBe(false);
    expect(target.refuses({ setting: SPLIT, to: 150 })).toContain('whole number');
  });

  test('a-lost-race-is-tried-again-and-an-environment-with-approvals-is-final', async () => {
    const target = await serving();
    const step = { setting: 'enabled', from: true, to: false };
    const answer = (status: number) =>
      double.next('change', { kind: 'answer', reply: { status, body: { message: 'no' } } });
    answer(409);
    expect(await failureOf(target.apply(step, RUN))).toMatchObject({ code: '409', retryable: true });
    answer(405);
    const error = await failureOf(target.apply(step, RUN));
    expect(error).toMatchObject({ code: '405', retryable: false });
    expect(error.message).toContain('approval');
  });

  test('without-retry-after-the-reset-of-the-rate-limit-tells-the-wait', async () => {
    const target = await serving();
    const headers = { 'x-ratelimit-reset': String(Date.now() + 30_000) };
    double.next('change', { kind: 'answer', reply: { status: 429, headers } });
    const error = await failureOf(target.apply({ setting: 'enabled', from: true, to: false }, RUN));
    expect(error.retryAfterMs).toBeGreaterThan(20_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  test('a-variation-that-the-flag-has-not-is-named', async () => {
    await serving();
    const target = targetAt(double.url, { block: { flag: 'answers.access', variation: 'gone' } });
    const error = await failureOf(target.read(['limit:user eve']));
    expect(error).toMatchObject({ code: 'MISNAMED', retryable: false });
    expect(error.message).toContain('gone');
  });
});

test('the-published-instructions-are-the-ones-that-are-checked-against', () => {
  const known = flagInstructions();
  expect(known.size).toBeGreaterThan(40);
  expect(problemOf({ kind: 'turnFlagSideways' }, known)).toContain('no instruction');
  expect(problemOf({ kind: 'addTargets', values: ['a'] }, known)).toBe('addTargets lacks variationId');
  const withTypo = { kind: 'addTargets', values: ['a'], variationId: 'v', context: 'user' };
  expect(problemOf(withTypo, known)).toBe('addTargets has no parameter context');
});
