import { expect, test } from 'vitest';
import { vendorTargetConfig } from '../../config/targets.ts';
import type { Target } from '../target.ts';
import { switchOf, type TargetConfig, targetOf } from './all-targets.ts';

const own: Target = {
  describe: () => 'built-in',
  can: () => true,
  read: async () => ({}),
  apply: async () => {},
};
const serves = { service: 'answers', environment: 'production', builtIn: () => own };
const config = (type: string, rest: object): TargetConfig =>
  vendorTargetConfig.parse({ type, token: 't0ken', url: 'https://vendor.example', ...rest });

test.each<[TargetConfig, string, string[]]>([
  [
    { type: 'webhook', url: 'https://answers.example/control', secret: 's', allow_private: false },
    'webhook answers.example',
    ['enabled'],
  ],
  [config('unleash', { feature: 'a' }), 'Unleash vendor.example default/production', ['enabled']],
  [
    config('launchdarkly', { project: 'shop', types: { refund: 'r' } }),
    'LaunchDarkly vendor.example shop/production',
    ['type:refund'],
  ],
  [config('litellm', { limits: 'user' }), 'LiteLLM vendor.example', ['limit:user eve']],
  [
    config('github', { repository: 'acme/prompts', settings: { model: { variable: 'MODEL' } } }),
    'GitHub acme/prompts@main',
    ['model'],
  ],
  [
    vendorTargetConfig.parse({
      type: 'langfuse',
      url: 'https://vendor.example',
      public_key: 'p',
      secret_key: 's',
      prompts: ['answer'],
    }),
    'Langfuse vendor.example label production',
    ['prompt:answer'],
  ],
  [{ type: 'built-in' }, 'built-in', ['enabled']],
])('a-config-of-each-type-makes-its-target: $1', (one, described, settings) => {
  const target = targetOf(one, serves);
  expect(target.describe()).toBe(described);
  for (const setting of settings) expect(target.can(setting)).toBe(true);
});

test('where-a-person-switches-by-hand-is-an-address-of-the-vendor', () => {
  const byHand = (one: TargetConfig) => targetOf(one, serves).byHand?.();
  expect(byHand(config('unleash', { feature: 'a' }))).toBe('https://vendor.example/projects/default');
  expect(byHand(config('launchdarkly', { project: 'shop', flag: 'a' }))).toBe(
    'https://vendor.example/projects/shop/flags',
  );
  const github = { repository: 'acme/prompts', settings: { model: { variable: 'MODEL' } } };
  expect(byHand(config('github', { ...github, url: 'https://api.github.com' }))).toBe(
    'https://github.com/acme/prompts',
  );
  const webhook = {
    type: 'webhook',
    url: 'https://app.example/control?key=k',
    secret: 's',
    allow_private: false,
  };
  expect(byHand(webhook as TargetConfig)).toBe(
    'the switch of the service itself, which answers at https://app.example/control',
  );
  const services = {
    a: { target: webhook as TargetConfig },
    b: { target: { type: 'built-in' as const } },
    c: {},
  };
  const places = ['a', 'b', 'c', 'toString'].map((name) =>
    switchOf({ services, environment: 'production' }, name),
  );
  expect(places).toEqual([byHand(webhook as TargetConfig), null, null, null]);
});
