import { expect, test } from 'vitest';
import { vendorTargetConfig, vendorTargetShapes } from './targets.ts';

const problemsOf = (config: object): string[] => {
  const result = vendorTargetConfig.safeParse(config);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const at = { url: 'https://vendor.example', token: 't' };

test.each([
  ['unleash', { ...at }],
  ['launchdarkly', { ...at, project: 'shop' }],
  ['litellm', { ...at }],
  ['github', { ...at, repository: 'acme/prompts', settings: {} }],
])('a-%s-target-that-could-change-nothing-is-a-mistake', (type, rest) => {
  expect(problemsOf({ type, ...rest }).join()).toContain('names nothing that could be changed');
});

test('each-mistake-is-named-with-its-place', () => {
  expect(problemsOf({ type: 'unleash', ...at, feature: 'a', rollout: 5 }).join()).toContain('rollout');
  expect(problemsOf({ type: 'unleash', ...at, url: 'ftp://x', feature: 'a' })).toEqual([
    'url: must be an http(s) address',
  ]);
  const langfuse = { type: 'langfuse', url: at.url, public_key: 'p', secret_key: 's', prompts: ['a'] };
  expect(problemsOf(langfuse)).toEqual([]);
  expect(problemsOf({ ...langfuse, label: 'latest' }).join()).toContain('label: must not be "latest"');
});

test('a-setting-in-github-stands-in-one-place', () => {
  const github = (setting: string, place: object) =>
    problemsOf({ type: 'github', token: 't', repository: 'acme/prompts', settings: { [setting]: place } });
  expect(github('model', { variable: 'MODEL' })).toEqual([]);
  expect(github('model', {}).join()).toContain('a variable or a file');
  expect(github('model', { variable: 'MODEL', file: 'a' }).join()).toContain('a variable or a file');
  expect(github('modle', { variable: 'MODEL' }).join()).toContain('must be a setting');
  expect(github('limit:somebody', { variable: 'L' }).join()).toContain('must be a setting');
  expect(github('model', { variable: 'MODEL', workflow: '../x.yml' }).join()).toContain('workflow');
  expect(github('model', { variable: 'A B' }).join()).toContain('name of a variable');
});

test('all-keys-are-there-for-the-table', () => {
  const keys = Object.keys(vendorTargetShapes['services.NAME.target.']);
  expect(keys).toEqual(expect.arrayContaining(['type', 'token', 'splits', 'prompts', 'limits', 'settings']));
});
