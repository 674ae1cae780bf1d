import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type DoublePrompt,
  LANGFUSE_KEYS,
  promptContract,
  promptContractVersions,
  startLangfusePrompts,
} from '../../../test/harness/langfuse-prompts-double.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN, SHORT_MS, survivesFaults } from '../../../test/harness/vendor-faults.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import { langfuseTarget, promptChecksum } from './langfuse-target.ts';

const NAME = 'support/answer';
const SETTING = `prompt:${NAME}`;

const prompt = (version: number, labels: string[], change: Partial<DoublePrompt> = {}): DoublePrompt => ({
  name: NAME,
  version,
  type: 'text',
  prompt: `Answer politely, edition ${version}.`,
  config: { temperature: 0, model: 'gpt-4o' },
  labels,
  tags: [],
  commitMessage: null,
  ...change,
});
const twoVersions = () => [prompt(12, ['staging']), prompt(13, ['production', 'latest'])];

function targetAt(url: string, change: object = {}) {
  const config = vendorTargetConfig.parse({
    type: 'langfuse',
    url,
    ...LANGFUSE_KEYS,
    prompts: [NAME],
    allow_private: true,
    ...change,
  });
  if (config.type !== 'langfuse') throw new Error(config.type);
  return langfuseTarget(config, { timeoutMs: SHORT_MS });
}

survivesFaults('Langfuse', async () => {
  const double = await startLangfusePrompts(twoVersions());
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: SETTING, from: '13', to: '12' },
    accepted: { status: 200, body: prompt(12, ['staging', 'production']) },
    secret: LANGFUSE_KEYS.secret_key,
  };
});

describe('Langfuse', () => {
  let double: VendorDouble;
  let prompts: DoublePrompt[];
  beforeEach(async () => {
    prompts = twoVersions();
    double = await startLangfusePrompts(prompts);
  });
  afterEach(() => double.close());

  test('one-label-is-moved-and-the-others-stay-where-they-are', async () => {
    await targetAt(double.url).apply({ setting: SETTING, from: '13', to: '12' }, RUN);
    expect(prompts.map(({ version, labels }) => [version, labels])).toEqual([
      [12, ['staging', 'production']],
      [13, ['latest']],
    ]);
    expect(double.changes().map(({ path, body }) => [path, body])).toEqual([
      ['/api/public/v2/prompts/support%2Fanswer/versions/12', { newLabels: ['production'] }],
    ]);
  });

  test('a-version-that-does-not-exist-is-final', async () => {
    const error = await failureOf(
      targetAt(double.url).apply({ setting: SETTING, from: '13', to: '99' }, RUN),
    );
    expect(error).toMatchObject({ code: '404', retryable: false, outcomeUnknown: false });
  });

  test('a-label-that-does-not-move-is-a-failure', async () => {
    const reply = { status: 200, body: prompt(12, ['staging']) };
    double.next('change', { kind: 'answer', reply });
    const error = await failureOf(
      targetAt(double.url).apply({ setting: SETTING, from: '13', to: '12' }, RUN),
    );
    expect(error).toMatchObject({ code: 'NOT_MOVED', retryable: false });
  });

  test('what-is-no-version-is-never-sent', async () => {
    const target = targetAt(double.url);
    for (const to of ['latest', 'v12', '0', '12/../13', 12, null]) {
      expect(target.refuses({ setting: SETTING, to })).toContain('no version');
      expect((await failureOf(target.apply({ setting: SETTING, from: '13', to }, RUN))).code).toBe('VALUE');
    }
    expect(double.requests).toHaveLength(0);
  });

  test('the-label-latest-is-refused-in-the-config', () => {
    expect(() => targetAt(double.url, { label: 'latest' })).toThrow(/latest/);
  });

  test('another-label-may-be-the-one-that-serves', async () => {
    const target = targetAt(double.url, { label: 'staging' });
    expect(await target.read()).toEqual({ [SETTING]: '12' });
    expect(await targetAt(double.url, { label: 'canary' }).read()).toEqual({ [SETTING]: null });
  });

  test('what-is-served-is-known-by-its-checksum', async () => {
    const target = targetAt(double.url);
    const [served] = await target.prompts();
    expect(served).toMatchObject({ setting: SETTING, version: '13', labels: ['production', 'latest'] });
    expect(served?.sha256).toBe(promptChecksum(prompt(13, [])));
    expect(await target.promptAt(SETTING, '12')).toMatchObject({
      version: '12',
      sha256: promptChecksum(prompt(12, [])),
    });
    expect(await target.promptAt(SETTING, '99')).toBeUndefined();
  });
});

describe('the checksum of a prompt', () => {
  test('does-not-depend-on-the-order-of-keys', () => {
    const one = { type: 'chat', prompt: [{ role: 'system', content: 'a' }], config: { x: 1, y: 2 } };
    const other = { config: { y: 2, x: 1 }, prompt: [{ content: 'a', role: 'system' }], type: 'chat' };
    expect(promptChecksum(one)).toBe(promptChecksum(other));
  });

  test('tells-texts-and-configs-apart', () => {
    const base = { type: 'text', prompt: 'a', config: {} };
    const sums = [base, { ...base, prompt: 'b' }, { ...base, config: { temperature: 1 } }].map(
      promptChecksum,
    );
    expect(new Set(sums).size).toBe(3);
  });
});

describe.each(promptContractVersions())('the published contract of Langfuse %s', (version) => {
  test('has-what-is-sent-to-it', async () => {
    const { query, body, required } = promptContract(version);
    const double = await startLangfusePrompts(twoVersions());
    await targetAt(double.url).apply({ setting: SETTING, from: '13', to: '12' }, RUN);
    await targetAt(double.url).promptAt(SETTING, '12');
    await double.close();
    const asked = double.requests.filter(({ method }) => method === 'GET');
    // `resolve` came later than the rest; an older Langfuse passes it by.
    const names = new Set(asked.flatMap(({ query: sent }) => [...sent.keys()]));
    expect(names).toEqual(new Set(['label', 'version', 'resolve']));
    expect(query).toEqual(expect.arrayContaining(['label', 'version']));
    for (const sent of double.changes()) {
      const keys = Object.keys(sent.body as object);
      expect(body).toEqual(expect.arrayContaining(keys));
      expect(keys).toEqual(expect.arrayContaining(required));
    }
    expect(double.changes()).toHaveLength(1);
  });
});

test('the-newest-published-contract-knows-unresolved-prompts', () => {
  expect(promptContract(promptContractVersions().at(-1) ?? '').query).toContain('resolve');
});
