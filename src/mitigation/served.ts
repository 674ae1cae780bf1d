import { kindOf, subjectOf, type TargetState, type Value } from './serving.ts';
import { type Arm, splitGroup, splitsOf } from './serving-change.ts';
import { chooseArm } from './split.ts';

/** Prompt versions whose text or digest is known, by `textKey`. */
export type PromptTexts = ReadonlyMap<string, { sha256: string; text: string | null }>;

/** Everything that is served of a service in one environment. */
export interface Serving {
  service: string;
  environment: string;
  /** Rises with every mitigation; 0: as configured. */
  version: number;
  changedAt: Date | null;
  settings: TargetState;
  /** What goes with the fallback: what users read, and the simpler model. */
  fallback: { notice?: string | undefined; model?: string | undefined };
  texts: PromptTexts;
}

/** Who asks; an unknown part is null. */
export interface Asker {
  targetingKey: string | null;
  user: string | null;
  session: string | null;
  endpoint: string | null;
}

export interface ServedPrompt {
  version: string;
  sha256?: string;
  text?: string;
}

/** The value of the flag, as the README describes it. */
export interface Served {
  enabled: boolean;
  prompts: Record<string, ServedPrompt>;
  /** The prompt of a service that names none. */
  prompt?: ServedPrompt;
  model: string | null;
  fallback: { mode: string; notice?: string; model?: string };
  types: Record<string, boolean>;
  split: Record<string, number>;
  limits: { user?: number; session?: number; endpoint?: number };
  token_cap: number | null;
  disclaimer: string | null;
  blocked: string[];
  version: number;
}

export interface Evaluation {
  value: Served;
  reason: 'STATIC' | 'SPLIT' | 'TARGETING_MATCH';
  /** The arms of the splits that were chosen, or "default". */
  variant: string;
}

export const textKey = (service: string, name: string, version: string) =>
  JSON.stringify([service, name, version]);

/** What this asker gets; pure, so that it can be answered from memory. */
export function serve(serving: Serving, asker: Asker): Evaluation {
  const { settings } = serving;
  const arms = splitsOf(settings);
  const chosen = chosenArms(serving.service, arms, asker.targetingKey);
  const limits = limitsFor(settings, asker);
  const isSplit = arms.some(({ percent }) => percent > 0);
  const value: Served = {
    enabled: settings['enabled'] !== false,
    ...promptsOf(serving, chosen),
    model: chosen.get(null) ?? textOf(settings['model']),
    fallback: { mode: textOf(settings['fallback']) ?? 'none', ...withoutUndefined(serving.fallback) },
    types: Object.fromEntries(named(settings, 'type').map(([type, on]) => [type, on !== false])),
    split: Object.fromEntries(arms.map(({ subject, percent }) => [subject, percent])),
    limits,
    token_cap: numberOf(settings['token-cap']),
    disclaimer: textOf(settings['disclaimer']),
    blocked: blockedPhrases(settings),
    version: serving.version,
  };
  const isTargeted = Object.keys(limits).length > 0;
  return {
    value,
    reason: isSplit && asker.targetingKey !== null ? 'SPLIT' : isTargeted ? 'TARGETING_MATCH' : 'STATIC',
    variant:
      [...chosen].map(([group, to]) => (group === null ? to : `${group}=${to}`)).join(' ') || 'default',
  };
}

export function blockedPhrases(settings: TargetState): string[] {
  return named(settings, 'blocked')
    .filter(([, isBlocked]) => isBlocked === true)
    .map(([phrase]) => phrase);
}

/** By prompt name, null for the model: what the split gives this key instead of the usual. */
function chosenArms(service: string, arms: Arm[], key: string | null): Map<string | null, string> {
  const chosen = new Map<string | null, string>();
  for (const [group, rivals] of Map.groupBy(arms, ({ subject }) => splitGroup(subject))) {
    const subject = chooseArm(rivals, { salt: service, key });
    if (subject !== null) chosen.set(group, group === null ? subject : subject.slice(group.length + 1));
  }
  return chosen;
}

function promptsOf(
  { service, settings, texts }: Serving,
  chosen: ReadonlyMap<string | null, string>,
): Pick<Served, 'prompts' | 'prompt'> {
  const versions = new Map<string, string>();
  for (const [setting, version] of Object.entries(settings))
    if (kindOf(setting) === 'prompt' && typeof version === 'string')
      versions.set(subjectOf(setting) ?? '', version);
  for (const [name, version] of chosen) if (name !== null) versions.set(name, version);
  const served = [...versions].sort().map(([name, version]): [string, ServedPrompt] => {
    const known = texts.get(textKey(service, name, version));
    return [
      name,
      {
        version,
        ...(known === undefined ? {} : { sha256: known.sha256 }),
        ...(known === undefined || known.text === null ? {} : { text: known.text }),
      },
    ];
  });
  const prompts = Object.fromEntries(served.filter(([name]) => name !== ''));
  const unnamed = served.find(([name]) => name === '');
  return unnamed === undefined ? { prompts } : { prompts, prompt: unnamed[1] };
}

function limitsFor(settings: TargetState, { targetingKey, ...asker }: Asker): Served['limits'] {
  const who = { ...asker, user: asker.user ?? targetingKey };
  const limits: Served['limits'] = {};
  for (const part of ['user', 'session', 'endpoint'] as const) {
    // A limit by name goes before that of everybody, so that one who may do more is not held back.
    const byName = who[part] === null ? null : numberOf(settings[`limit:${part} ${who[part]}`]);
    const limit = byName ?? (who[part] === null ? null : numberOf(settings[`limit:each ${part}`]));
    if (limit !== null) limits[part] = limit;
  }
  return limits;
}

function named(settings: TargetState, kind: string): [string, Value][] {
  return Object.entries(settings)
    .filter(([setting]) => setting.startsWith(`${kind}:`))
    .map(([setting, value]): [string, Value] => [subjectOf(setting) ?? '', value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

const textOf = (value: Value | undefined) => (typeof value === 'string' ? value : null);
const numberOf = (value: Value | undefined) => (typeof value === 'number' ? value : null);

function withoutUndefined({ notice, model }: Serving['fallback']): { notice?: string; model?: string } {
  return { ...(notice === undefined ? {} : { notice }), ...(model === undefined ? {} : { model }) };
}
