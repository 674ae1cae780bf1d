import { afterEach, describe, expect, test } from 'vitest';
import {
  blobIdOf,
  GITHUB_TOKEN,
  githubValidators,
  startGithub,
} from '../../../test/harness/github-double.ts';
import { NEW, OLD, repositoryOf, targetAt } from '../../../test/harness/github-scene.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN, survivesFaults } from '../../../test/harness/vendor-faults.ts';

survivesFaults('a GitHub variable', async () => {
  const double = await startGithub(repositoryOf());
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: 'enabled', from: true, to: false },
    accepted: { status: 204 },
    secret: GITHUB_TOKEN,
  };
});

survivesFaults('a GitHub file', async () => {
  const double = await startGithub(repositoryOf());
  return {
    double,
    target: (change) => targetAt(double.url, change),
    step: { setting: 'prompt:pin', from: 'v14', to: 'v13' },
    accepted: { status: 200, body: { content: {}, commit: {} } },
    secret: GITHUB_TOKEN,
  };
});

let double: VendorDouble;
const serving = async (repository = repositoryOf()) => {
  double = await startGithub(repository);
  return targetAt(double.url);
};

describe('places in a GitHub repository', () => {
  afterEach(() => double.close());

  test('each-setting-is-read-where-it-stands', async () => {
    const target = await serving();
    expect(await target.read()).toEqual({
      enabled: true,
      'prompt:pin': 'v14',
      'prompt:answer': blobIdOf(NEW),
      model: 'gpt-4o',
      'split:mini': 10,
    });
    expect(target.describe()).toBe('GitHub acme/prompts@main');
  });

  test('what-is-no-such-value-is-not-told', async () => {
    const variables = { AI_ENABLED: 'yes', MODEL: ' ', SHARE: 'ten', CAP: 'none' };
    const target = await serving(repositoryOf({ variables, files: {} }));
    expect(await target.read()).toEqual({ 'token-cap': null });
  });

  test('a-prompt-text-goes-back-to-the-very-bytes-of-a-blob', async () => {
    const repository = repositoryOf();
    const target = await serving(repository);
    const step = { setting: 'prompt:answer', from: blobIdOf(NEW), to: blobIdOf(OLD) };
    await target.apply(step, RUN);
    expect(repository.files['prompts/answer.md']).toBe(OLD);
    expect(await target.read()).toMatchObject({ 'prompt:answer': blobIdOf(OLD) });
    const [sent] = double.changes();
    const message = expect.stringContaining(RUN.planHash);
    expect(sent?.body).toMatchObject({ sha: blobIdOf(NEW), branch: 'main', message });
    const gone = { ...step, from: blobIdOf(OLD), to: blobIdOf('never committed') };
    expect(await failureOf(target.apply(gone, RUN))).toMatchObject({ code: '404', outcomeUnknown: false });
    expect(target.refuses({ setting: 'prompt:answer', to: 'v13' })).toContain('blob id');
  });

  test('somebody-elses-commit-in-between-is-not-overwritten', async () => {
    const repository = repositoryOf();
    const target = await serving(repository);
    const step = { setting: 'prompt:pin', from: 'v14', to: 'v13' };
    const stale = { message: 'prompts/pin file.txt does not match abc' };
    double.next('change', { kind: 'answer', reply: { status: 409, body: stale } });
    expect(await failureOf(target.apply(step, RUN))).toMatchObject({ code: '409', retryable: true });
    repository.files['prompts/pin file.txt'] = 'v15\n';
    expect(await failureOf(target.apply(step, RUN))).toMatchObject({ code: 'STALE', retryable: false });
  });

  test('a-rule-of-the-repository-is-final', async () => {
    const target = await serving();
    const body = { message: 'Repository rule violations found' };
    double.next('change', { kind: 'answer', reply: { status: 409, body } });
    const error = await failureOf(target.apply({ setting: 'prompt:pin', from: 'v14', to: 'v13' }, RUN));
    expect(error).toMatchObject({ code: '409', retryable: false, outcomeUnknown: false });
  });

  test('403-of-a-rate-limit-waits-and-another-403-does-not', async () => {
    const target = await serving();
    const step = { setting: 'enabled', from: true, to: false };
    const reset = String(Math.ceil(Date.now() / 1000) + 30);
    const limited = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    double.next('change', { kind: 'answer', reply: { status: 403, headers: limited } });
    const waiting = await failureOf(target.apply(step, RUN));
    expect(waiting).toMatchObject({ code: '403', retryable: true, outcomeUnknown: false });
    expect(waiting.retryAfterMs).toBeGreaterThan(20_000);
    const body = { message: 'Resource not accessible by personal access token' };
    double.next('change', { kind: 'answer', reply: { status: 403, body } });
    const refused = await failureOf(target.apply(step, RUN));
    expect(refused).toMatchObject({ code: '403', retryable: false });
    expect(refused.message).toContain('may not do this');
  });

  test('a-value-that-cannot-stand-there-is-refused', async () => {
    const target = await serving();
    for (const [setting, to] of [
      ['enabled', 'false'],
      ['split:mini', 150],
      ['token-cap', -1],
      ['model', ''],
      ['model', null],
      ['prompt:pin', 13],
    ] as const)
      expect(target.refuses({ setting, to })).not.toBeNull();
  });
});

test('the-published-schemas-refuse-what-they-do-not-have', () => {
  const { put, variable, dispatch } = githubValidators();
  expect(put({ message: 'm' })).toBe(false);
  expect(put({ message: 'm', content: 'eA==', if_match: 'x' })).toBe(false);
  expect(variable({ value: 12 })).toBe(false);
  expect(dispatch({ inputs: {} })).toBe(false);
  const inputs = Object.fromEntries(Array.from({ length: 26 }, (_, i) => [`i${i}`, 'x']));
  expect(dispatch({ ref: 'main', inputs })).toBe(false);
});
