import { afterEach, describe, expect, test } from 'vitest';
import {
  type DoubleDeployment,
  type DoubleProxy,
  LITELLM_TOKEN,
  startLitellm,
} from '../../../test/harness/litellm-double.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN, SHORT_MS, survivesFaults } from '../../../test/harness/vendor-faults.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import { litellmTarget } from './litellm-target.ts';

const deployment = (id: string, weight?: number, isInDatabase = true): DoubleDeployment => ({
  model_name: 'answers',
  litellm_params: { model: `openai/${id}`, ...(weight === undefined ? {} : { weight }) },
  model_info: { id, db_model: isInDatabase },
});
const proxyOf = (change: Partial<DoubleProxy> = {}): DoubleProxy => ({
  deployments: [deployment('full', 100), deployment('mini', 0)],
  users: {
    eve: { rpm_limit: 60, tpm_limit: 1_000 },
    bob: { rpm_limit: null, tpm_limit: null },
  },
  keys: [
    { token: 'hash-1', key_alias: 'batch', rpm_limit: 30, tpm_limit: null, blocked: null },
    { token: 'hash-2', key_alias: 'batch-2', rpm_limit: null, tpm_limit: null, blocked: null },
  ],
  ...change,
});

function targetAt(url: string, change: object = {}) {
  const config = vendorTargetConfig.parse({
    type: 'litellm',
    url,
    token: LITELLM_TOKEN,
    deployment: 'full',
    deployments: ['full', 'mini'],
    splits: { mini: { deployment: 'mini', rest: 'full' } },
    limits: 'user',
    allow_private: true,
    ...change,
  });
  if (config.type !== 'litellm') throw new Error(config.type);
  return litellmTarget(config, { timeoutMs: SHORT_MS });
}

survivesFaults('LiteLLM', async () => {
  const double = await startLitellm(proxyOf());
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: 'model', from: 'openai/full', to: 'openai/full-2024-08-06' },
    accepted: { status: 200, body: { model_id: 'full' } },
    secret: LITELLM_TOKEN,
  };
});

describe('LiteLLM', () => {
  let double: VendorDouble;
  afterEach(() => double.close());

  const serving = async (proxy = proxyOf(), change: object = {}) => {
    double = await startLitellm(proxy);
    return targetAt(double.url, change);
  };
  const sent = () => double.changes().map(({ path, body }) => [path, body]);
  const failNext = (status: number, message: string, which: 'change' | 'ask' = 'change') =>
    double.next(which, { kind: 'answer', reply: { status, body: { error: { message } } } });

  test('each-setting-is-read-from-the-deployments', async () => {
    const target = await serving();
    expect(await target.read()).toEqual({ enabled: true, model: 'openai/full', 'split:mini': 0 });
    expect(target.can('limit:user eve')).toBe(true);
    expect(target.can('limit:session s')).toBe(false);
    expect(target.can('prompt:answer')).toBe(false);
  });

  test('a-share-is-a-pair-of-weights', async () => {
    const target = await serving();
    await target.apply({ setting: 'split:mini', from: 0, to: 10 }, RUN);
    expect(sent()).toEqual([
      ['/model/mini/update', { litellm_params: { weight: 10 } }],
      ['/model/full/update', { litellm_params: { weight: 90 } }],
    ]);
    expect((await target.read())['split:mini']).toBe(10);
  });

  test.each([
    ['without-weights-both-have-half', [deployment('full'), deployment('mini')], 50],
    ['with-one-weight-nobody-knows', [deployment('full', 5), deployment('mini')], undefined],
    ['weights-are-shares-of-their-sum', [deployment('full', 3), deployment('mini', 1)], 25],
    ['two-weights-of-nothing-are-no-share', [deployment('full', 0), deployment('mini', 0)], undefined],
    ['a-deployment-that-is-gone-is-no-share', [deployment('full', 1)], undefined],
  ])('%s', async (_, deployments, share) => {
    const target = await serving(proxyOf({ deployments }));
    expect((await target.read())['split:mini']).toBe(share);
  });

  test('half-a-shift-is-told-as-half-and-not-repeated-blindly', async () => {
    const target = await serving();
    await target.apply({ setting: 'split:mini', from: 0, to: 10 }, RUN);
    const back = { setting: 'split:mini', from: 10, to: 0 };
    double.next('change', { kind: 'answer', reply: { status: 200, body: {} } });
    failNext(503, 'try later');
    const error = await failureOf(target.apply(back, RUN));
    expect(error).toMatchObject({ code: '503', retryable: false, outcomeUnknown: true });
    expect(error.message).toContain('only 1 of 2 deployments were changed');
  });

  test('disabling-that-was-cut-short-reads-as-not-done-and-is-taken-up-again', async () => {
    const proxy = proxyOf();
    const target = await serving(proxy);
    const disable = { setting: 'enabled', from: true, to: false };
    const [first] = proxy.deployments;
    if (first !== undefined) first.model_info.blocked = true;
    expect((await target.read())['enabled']).toBe(true);
    double.next('change', { kind: 'answer', reply: { status: 200, body: {} } });
    failNext(503, 'try later');
    expect(await failureOf(target.apply(disable, RUN))).toMatchObject({ code: '503', retryable: true });
    await target.apply(disable, RUN);
    expect((await target.read())['enabled']).toBe(false);
    await target.apply({ setting: 'enabled', from: false, to: true }, RUN);
    expect(proxy.deployments.map(({ model_info }) => model_info.blocked)).toEqual([false, false]);
  });

  test('a-model-of-the-config-file-is-refused-before-anything-is-sent', async () => {
    const target = await serving(proxyOf({ deployments: [deployment('full', 1, false)] }));
    const error = await failureOf(
      target.apply({ setting: 'model', from: 'openai/full', to: 'openai/other' }, RUN),
    );
    expect(error).toMatchObject({ code: 'CONFIG_MODEL', retryable: false, outcomeUnknown: false });
    expect(error.message).toContain('/model/new');
    expect(double.changes()).toHaveLength(0);
  });

  test.each([
    [
      500,
      "{'error': 'Set `STORE_MODEL_IN_DB=True` in your env to enable this feature.'}",
      'STORE_MODEL_IN_DB=True',
    ],
    [400, 'Model updates only supported for DB-stored models', 'STORE_MODEL_IN_DB=True'],
    [400, 'Cannot edit config-based model. Store model in DB via /model/new first.', '/model/new'],
  ])('a-%i-that-no-waiting-mends-is-final-and-names-the-cure', async (status, message, cure) => {
    const target = await serving();
    failNext(status, message);
    const error = await failureOf(
      target.apply({ setting: 'model', from: 'openai/full', to: 'openai/other' }, RUN),
    );
    expect(error).toMatchObject({ code: String(status), retryable: false, outcomeUnknown: false });
    expect(error.message).toContain(cure);
  });

  test('a-users-limit-is-read-set-and-given-back', async () => {
    const proxy = proxyOf();
    const target = await serving(proxy);
    const setting = 'limit:user eve';
    expect(await target.read([setting])).toMatchObject({ [setting]: 60 });
    expect(await target.read()).not.toHaveProperty(setting);
    await target.apply({ setting, from: 60, to: 4 }, RUN);
    expect(sent()).toEqual([['/user/update', { user_id: 'eve', rpm_limit: 4 }]]);
    expect(proxy.users['eve']).toEqual({ rpm_limit: 4, tpm_limit: 1_000 });
    await target.apply({ setting, from: 4, to: 60 }, RUN);
    expect(await target.read([setting])).toMatchObject({ [setting]: 60 });
  });

  test('a-user-without-a-limit-has-none-again-although-null-means-unchanged-there', async () => {
    const proxy = proxyOf();
    const target = await serving(proxy);
    for (const name of ['bob', 'somebody new']) {
      const setting = `limit:user ${name}`;
      expect(await target.read([setting])).toMatchObject({ [setting]: null });
      await target.apply({ setting, from: null, to: 4 }, RUN);
      expect(await target.read([setting])).toMatchObject({ [setting]: 4 });
      await target.apply({ setting, from: 4, to: null }, RUN);
      expect(await target.read([setting])).toMatchObject({ [setting]: null });
    }
    expect(proxy.users['bob']?.rpm_limit).toBeGreaterThan(2_000_000_000);
  });

  test('a-key-is-found-by-its-alias-blocked-by-0-and-keeps-its-limit', async () => {
    const proxy = proxyOf();
    const target = await serving(proxy, { limits: 'key-alias' });
    const setting = 'limit:user batch';
    expect(await target.read([setting])).toMatchObject({ [setting]: 30 });
    await target.apply({ setting, from: 30, to: 0 }, RUN);
    expect(await target.read([setting])).toMatchObject({ [setting]: 0 });
    expect(proxy.keys[0]).toMatchObject({ blocked: true, rpm_limit: 30 });
    await target.apply({ setting, from: 0, to: 30 }, RUN);
    expect(sent()).toEqual([
      ['/key/block', { key: 'hash-1' }],
      ['/key/unblock', { key: 'hash-1' }],
    ]);
    await target.apply({ setting, from: 30, to: 4 }, RUN);
    expect(proxy.keys[0]).toMatchObject({ blocked: false, rpm_limit: 4 });
  });

  test('an-alias-that-two-keys-have-is-nobody', async () => {
    const proxy = proxyOf();
    proxy.keys = proxy.keys.map((key) => ({ ...key, key_alias: 'batch' }));
    const target = await serving(proxy, { limits: 'key-alias' });
    const error = await failureOf(target.apply({ setting: 'limit:user batch', from: 30, to: 4 }, RUN));
    expect(error.code).toBe('UNKNOWN_STATE');
  });

  test('what-is-no-limit-is-never-sent', async () => {
    const target = await serving();
    for (const to of [-1, 1.5, '4', true, 2_147_483_647])
      expect(target.refuses({ setting: 'limit:user eve', to })).toContain('whole number');
    expect(target.refuses({ setting: 'model', to: 4 })).toContain('no model');
    expect(target.refuses({ setting: 'split:mini', to: 101 })).toContain('whole number');
  });
});
