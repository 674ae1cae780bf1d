import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../config/config-file.ts';
import { outageErrors } from './rules/outage-errors.ts';
import { qualityFormat } from './rules/quality-format.ts';
import { qualityLength } from './rules/quality-length.ts';
import { rules } from './rules.ts';
import { effectiveSettings, ruleProblems } from './settings.ts';

const NOTHING = { globalOverrides: {}, serviceOverrides: {}, environment: 'production' };
const FILE = `
rules:
  outage.errors:
    threshold: 0.1
    min_samples: 30
    environments: {production: {min_samples: 40, quiet_minutes: 5}}
services:
  bot:
    rules:
      outage.errors: {quiet_minutes: 7, environments: {production: {shadow: true}, staging: {enabled: false}}}
`;

describe('settings', () => {
  test('later-ones-win-defaults-file-environment-service-environment', () => {
    const { rules: globalOverrides, services } = parseConfigFile(FILE, {});
    const serviceOverrides = services['bot']?.rules ?? {};
    const of = (environment: string) =>
      effectiveSettings(outageErrors, { globalOverrides, serviceOverrides, environment });
    expect(effectiveSettings(outageErrors, NOTHING)).toEqual(outageErrors.defaults);
    expect(of('production')).toMatchObject({
      min_samples: 40,
      quiet_minutes: 7,
      shadow: true,
      enabled: true,
    });
    expect(of('staging')).toMatchObject({ min_samples: 30, quiet_minutes: 7, shadow: false, enabled: false });
    expect(of('constructor')).toMatchObject({
      min_samples: 30,
      quiet_minutes: 7,
      shadow: false,
      enabled: true,
    });
    expect(of('production').window_minutes).toBe(5);
  });

  test('a-closing-threshold-follows-its-threshold-unless-it-is-set', () => {
    const set = (rule: typeof outageErrors, numbers: object) =>
      effectiveSettings(rule, {
        ...NOTHING,
        globalOverrides: { [rule.id]: { environments: {}, ...numbers } },
      }).clear_threshold;
    expect(set(outageErrors, { threshold: 0.1 })).toBeCloseTo(0.06, 12);
    expect(set(outageErrors, { threshold: 0.1, clear_threshold: 0.02 })).toBe(0.02);
    expect(set(qualityFormat, { threshold: 0.9 })).toBeCloseTo(0.93, 12);
    expect(set(qualityLength, { threshold: 0.25 })).toBeCloseTo(0.4, 12);
  });

  test('an-early-warning-takes-only-whether-it-is-on', () => {
    const warning = { ...outageErrors, warning: true };
    const overrides = { enabled: false, shadow: true, threshold: 0.9, open_polls: 5, environments: {} };
    const globalOverrides = { 'outage.errors': overrides };
    expect(effectiveSettings(warning, { ...NOTHING, globalOverrides })).toEqual({
      ...outageErrors.defaults,
      enabled: false,
      shadow: true,
    });
  });
});

describe('problems', () => {
  const problemsOf = (text: string) => ruleProblems(parseConfigFile(text, {}), rules);

  test('a-name-that-is-no-rule-is-named-with-the-nearest', () => {
    const text = `
rules: {quality.scor: {threshold: 0.2}}
services: {bot: {rules: {outage.error: {}}, queries: {cost.tokns: up, cost.tokens: up}}}
`;
    expect(problemsOf(text)).toEqual([
      'rules.quality.scor: is no rule; the nearest is quality.score',
      'services.bot.rules.outage.error: is no rule; the nearest is outage.errors',
      'services.bot.queries.cost.tokns: is no rule; the nearest is cost.tokens',
    ]);
    expect(problemsOf(FILE)).toEqual([]);
  });

  test('numbers-that-contradict-each-other-are-named', () => {
    const text = `
rules: {quality.format: {clear_threshold: 0.9}}
services: {bot: {rules: {outage.errors: {clear_threshold: 0.06, open_polls: 6}}}}
`;
    expect(problemsOf(text)).toEqual([
      'rules.quality.format.clear_threshold: 0.9 is below the threshold 0.95',
      'services.bot.rules.outage.errors.clear_threshold: 0.06 is above the threshold 0.05',
      'services.bot.rules.outage.errors.open_polls: 6 of 5 polls cannot be past the threshold',
    ]);
  });
});
