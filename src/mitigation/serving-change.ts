import type { ServingConfig } from '../config/serving.ts';
import type { Step } from './plan.ts';
import {
  keyIn,
  kindOf,
  problemWith,
  type Setting,
  type SettingKind,
  subjectOf,
  type TargetState,
  type Value,
  valueIn,
} from './serving.ts';

/** What stands after the colon; null: nothing does. */
const SUBJECTS: Readonly<Record<SettingKind, RegExp | null>> = {
  enabled: null,
  model: null,
  fallback: null,
  'token-cap': null,
  disclaimer: null,
  prompt: /./s,
  type: /./s,
  split: /./s,
  blocked: /./s,
  limit: /^(?:(?:user|session|endpoint) .|each (?:user|session)$)/s,
};

/** Whether the built-in target can change it. */
export function isServable(setting: Setting): boolean {
  if (setting === 'prompt') return true;
  if (!Object.hasOwn(SUBJECTS, kindOf(setting))) return false;
  const pattern = SUBJECTS[kindOf(setting)];
  const subject = subjectOf(setting);
  return pattern === null ? subject === null : subject !== null && pattern.test(subject);
}

/** What a service's configuration says, as settings; only those that it says something about. */
export function initialSettings(config: ServingConfig): TargetState {
  const { enabled, fallback, model, prompt, token_cap: tokenCap, disclaimer, limits } = config;
  const named = (kind: string, values: Record<string, Value>) =>
    Object.entries(values).map(([subject, value]): [Setting, Value] => [`${kind}:${subject}`, value]);
  const { each_user: eachUser, each_session: eachSession, ...byName } = limits;
  const limited = Object.entries(byName).flatMap(([who, values]) =>
    Object.entries(values).map(([id, value]): [Setting, Value] => [`limit:${who} ${id}`, value]),
  );
  return Object.fromEntries([
    ['enabled', enabled],
    ['fallback', fallback.mode],
    ['token-cap', tokenCap ?? null],
    ['disclaimer', disclaimer ?? null],
    ...(model === undefined ? [] : [['model', model] as const]),
    ...(prompt === undefined ? [] : [['prompt', prompt] as const]),
    ...named('prompt', config.prompts),
    ...named('type', config.types),
    ...named('split', config.split),
    ...limited,
    ...(eachUser === undefined ? [] : [['limit:each user', eachUser] as const]),
    ...(eachSession === undefined ? [] : [['limit:each session', eachSession] as const]),
    ...config.blocked.map((phrase) => [`blocked:${phrase}`, true] as const),
  ]);
}

export interface Changing {
  initial: TargetState;
  overrides: TargetState;
  isGivenBack: boolean;
}

export type Change =
  | { kind: 'changed'; overrides: TargetState }
  | { kind: 'moved'; now: Value }
  | { kind: 'refused'; problem: string };

/**
 * Policy: a step is taken only where its `from` is still true; what is given back, to what the configuration says, follows
 * the configuration again, and whatever else a mitigation set stays so when the configuration changes; no split is raised so far that those of the model, or of one prompt, are more than 100 % together.
 */
export function changeSettings(
  { initial, overrides, isGivenBack }: Changing,
  { setting, from, to }: Step,
): Change {
  const problem = isServable(setting)
    ? problemWith({ setting, to })
    : `${setting} is no setting of the built-in target`;
  if (problem !== null) return { kind: 'refused', problem: problem.replace(/\.$/, '') };
  const state = { ...initial, ...overrides };
  const now = valueIn(state, setting);
  if (now !== from) return { kind: 'moved', now };
  const total = kindOf(setting) === 'split' ? totalSplit({ ...state, [setting]: to }, setting) : 0;
  if (total > 100 && Number(to) > Number(from))
    return {
      kind: 'refused',
      problem: `${setting} ${to} would make ${total} % in total; lower another first`,
    };
  // A prompt without a name and the only one with a name are the same one.
  const key = keyIn(state, setting) ?? setting;
  const { [key]: _, ...others } = overrides;
  const followsAgain = isGivenBack && Object.hasOwn(initial, key) && initial[key] === to;
  return { kind: 'changed', overrides: followsAgain ? others : { ...others, [key]: to } };
}

function totalSplit(state: TargetState, setting: Setting): number {
  const group = splitGroup(subjectOf(setting) ?? '');
  return splitsOf(state)
    .filter((arm) => splitGroup(arm.subject) === group)
    .reduce((total, { percent }) => total + percent, 0);
}

/** One arm of a traffic split. */
export interface Arm {
  /** A model id, or PROMPT=VERSION. */
  subject: string;
  percent: number;
}

export function splitsOf(state: TargetState): Arm[] {
  return Object.entries(state)
    .filter(([setting, value]) => kindOf(setting) === 'split' && typeof value === 'number')
    .map(([setting, value]) => ({ subject: subjectOf(setting) ?? '', percent: value as number }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

/** "answer=v13" → "answer", a prompt; null for a model. */
export function splitGroup(subject: string): string | null {
  const equals = subject.indexOf('=');
  return equals < 0 ? null : subject.slice(0, equals);
}
