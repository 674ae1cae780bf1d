import { closest } from 'fastest-levenshtein';
import type { ConfigFile } from '../config/config-file.ts';
import type { RuleOverrides, RuleSettings } from '../config/rules.ts';
import type { Rule } from './rule.ts';
import type { WatchedRule } from './watched-rule.ts';

type Overrides = Partial<RuleSettings>;

/** What a team changed, by rule id: of all services, and of one. */
export interface Overriding {
  globalOverrides: Readonly<Record<string, RuleOverrides>>;
  serviceOverrides: Readonly<Record<string, RuleOverrides>>;
  environment: string;
}

/** An early warning is tuned by its own false-alarm rate: the numbers of the rule that it goes before are not its. */
const OF_WARNINGS: readonly (keyof RuleSettings)[] = ['enabled', 'shadow'];

/**
 * The numbers of a rule for one service in one environment. Later ones win: the shipped ones, those of the file, those
 * of the file for the environment, those of the service, those of the service for the environment. A threshold that
 * is changed without its closing threshold takes that along in proportion.
 */
export function effectiveSettings(rule: Rule, overriding: Overriding): RuleSettings {
  return Object.assign({ ...rule.defaults }, ...layersOf(rule, overriding));
}

/**
 * What the entry of a service changes in one environment. Policy: an entry is about the configured environment; in
 * another one only what it says by that one's name counts.
 */
export function serviceOverridesIn(
  config: Pick<ConfigFile, 'services' | 'environment'>,
  { service, environment }: { service: string | null; environment: string },
): Readonly<Record<string, RuleOverrides>> {
  const named = service !== null && Object.hasOwn(config.services, service);
  const rules = named ? (config.services[service]?.rules ?? {}) : {};
  if (environment === config.environment) return rules;
  return Object.fromEntries(Object.entries(rules).map(([id, { environments }]) => [id, { environments }]));
}

/** The numbers of a rule for one service in one environment, as a config file has them. */
export function settingsIn(
  config: Pick<ConfigFile, 'rules' | 'services' | 'environment'>,
  rule: Rule,
  about: { service: string | null; environment: string },
): RuleSettings {
  const serviceOverrides = serviceOverridesIn(config, about);
  const { environment } = about;
  return effectiveSettings(rule, { globalOverrides: config.rules, serviceOverrides, environment });
}

/** Every rule and early warning that is on for the service. */
export function watchedRulesOf(
  config: Pick<ConfigFile, 'rules' | 'services' | 'environment'>,
  known: readonly Rule[],
  { service, environment }: { service: string; environment: string },
): WatchedRule[] {
  return known.flatMap((rule) => {
    const settings = settingsIn(config, rule, { service, environment });
    return settings.enabled ? [{ service, environment, rule, settings }] : [];
  });
}

/**
 * What is wrong with the rules of a config file, one line each with its path: names that are no rules, and numbers
 * that contradict each other.
 */
export function ruleProblems(
  config: Pick<ConfigFile, 'rules' | 'services' | 'environment'>,
  known: readonly Rule[],
): string[] {
  const places = [
    { path: 'rules', named: config.rules, serviceOverrides: {} },
    ...Object.entries(config.services).map(([name, { rules }]) => ({
      path: `services.${name}.rules`,
      named: rules,
      serviceOverrides: rules,
    })),
  ];
  const { rules: globalOverrides, environment } = config;
  return [
    ...unknownRules(config, known),
    ...places.flatMap(({ path, named, serviceOverrides }) =>
      known
        .filter((rule) => !rule.warning && named[rule.id] !== undefined)
        .flatMap((rule) => contradictions(rule, { globalOverrides, serviceOverrides, environment }))
        .map((problem) => `${path}.${problem}`),
    ),
  ];
}

/** Names under `rules` and `queries` that are no rule, each with the nearest that is one. */
export function unknownRules(
  config: Pick<ConfigFile, 'rules' | 'services'>,
  known: readonly Rule[],
): string[] {
  const ids: string[] = [...new Set(known.map((rule) => rule.id))];
  const places = [
    ['rules', config.rules] as const,
    ...Object.entries(config.services).flatMap(([name, { rules, queries }]) => [
      [`services.${name}.rules`, rules] as const,
      [`services.${name}.queries`, queries] as const,
    ]),
  ];
  return places.flatMap(([path, named]) =>
    Object.keys(named)
      .filter((name) => !ids.includes(name))
      .map((name) => `${path}.${name}: is no rule; the nearest is ${closest(name, ids)}`),
  );
}

function layersOf(rule: Rule, overriding: Overriding): Overrides[] {
  const { globalOverrides, serviceOverrides, environment } = overriding;
  const layers = [globalOverrides[rule.id], serviceOverrides[rule.id]].flatMap((overrides): Overrides[] => {
    if (overrides === undefined) return [];
    const { environments, ...own } = overrides;
    const ofEnvironment = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
    return [given(own), given(ofEnvironment ?? {})];
  });
  return layers.map((layer) => (rule.warning ? ofWarning(layer) : withClosing(rule, layer)));
}

/** The closing threshold keeps its part of the way from where nothing is wrong to the threshold. */
function withClosing({ neutral, defaults }: Rule, layer: Overrides): Overrides {
  const { threshold, clear_threshold: clearThreshold } = layer;
  if (threshold === undefined || clearThreshold !== undefined) return layer;
  const part = (defaults.clear_threshold - neutral) / (defaults.threshold - neutral);
  return { ...layer, clear_threshold: neutral + part * (threshold - neutral) };
}

function given(layer: Omit<Partial<RuleOverrides>, 'environments'>): Overrides {
  return Object.fromEntries(Object.entries(layer).filter(([, value]) => value !== undefined));
}

function ofWarning(layer: Overrides): Overrides {
  return Object.fromEntries(Object.entries(layer).filter(([key]) => OF_WARNINGS.some((one) => one === key)));
}

function contradictions(rule: Rule, overriding: Overriding): string[] {
  const settings = effectiveSettings(rule, overriding);
  const { threshold, clear_threshold, open_polls, open_of_polls } = settings;
  const isWorseAbove = rule.defaults.threshold > rule.neutral;
  const isPast = isWorseAbove ? clear_threshold > threshold : clear_threshold < threshold;
  const problems: string[] = [];
  if (isPast) {
    const side = isWorseAbove ? 'above' : 'below';
    problems.push(`${rule.id}.clear_threshold: ${clear_threshold} is ${side} the threshold ${threshold}`);
  }
  if (open_polls > open_of_polls) {
    problems.push(
      `${rule.id}.open_polls: ${open_polls} of ${open_of_polls} polls cannot be past the threshold`,
    );
  }
  if (rule.unit === 'share' && threshold > 1) {
    problems.push(`${rule.id}.threshold: ${threshold} is no share; 5 % is 0.05`);
  }
  const looksAtNewest = Object.values(rule.asks(settings)).some(({ over }) => over.kind === 'newest');
  if (looksAtNewest && settings.min_samples > settings.window_calls) {
    problems.push(
      `${rule.id}.min_samples: ${settings.min_samples} is more than the ${settings.window_calls} calls that it looks at`,
    );
  }
  return problems;
}
