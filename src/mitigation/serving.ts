/**
 * What a service serves, setting by setting. The names of settings:
 * `enabled`; `prompt:NAME` (`prompt` where a target names none): a version; `model`: an id; `fallback`: `none`, `cached`,
 * `simple`, `notice` or `queue`; `type:NAME`: whether a query type is answered; `split:MODEL`: percent of the traffic
 * that another model or prompt gets, 0 to 100; `limit:user NAME`, `limit:session NAME`, `limit:endpoint NAME`, and
 * `limit:each user`, `limit:each session` for everybody without one by name: requests a minute; `token-cap`: output tokens a request; `disclaimer`: a text; `blocked:PHRASE`: whether outputs with it are
 * held back.
 */
export type Setting = string;

/** Null: no limit, no text, nothing. */
export type Value = string | number | boolean | null;

/** What a target says that it serves; a setting that it does not know of is absent. */
export type TargetState = Readonly<Record<Setting, Value>>;

export type SettingKind =
  | 'enabled'
  | 'prompt'
  | 'model'
  | 'fallback'
  | 'type'
  | 'split'
  | 'limit'
  | 'token-cap'
  | 'disclaimer'
  | 'blocked';

export const FALLBACKS = ['none', 'cached', 'simple', 'notice', 'queue'] as const;

/** "prompt:answer" → "prompt". */
export function kindOf(setting: Setting): SettingKind {
  const colon = setting.indexOf(':');
  return (colon < 0 ? setting : setting.slice(0, colon)) as SettingKind;
}

/** "prompt:answer" → "answer"; null where the setting stands for itself. */
export function subjectOf(setting: Setting): string | null {
  const colon = setting.indexOf(':');
  return colon < 0 ? null : setting.slice(colon + 1);
}

/** What a setting that a target does not mention is: nothing is limited, split or held back. Undefined: unknown. */
const AT_REST: Partial<Record<SettingKind, Value>> = {
  fallback: 'none',
  type: true,
  split: 0,
  limit: null,
  'token-cap': null,
  disclaimer: null,
  blocked: false,
};

/** True where nothing is said of a setting and that means nothing: which version, which model, on or off. */
export function isUnknown(setting: Setting, value: Value): boolean {
  return value === null && AT_REST[kindOf(setting)] === undefined;
}

/** The value of a setting by what the target said; null also where it is unknown. */
export function valueIn(state: TargetState, setting: Setting): Value {
  const key = keyIn(state, setting);
  return (key === null ? undefined : state[key]) ?? AT_REST[kindOf(setting)] ?? null;
}

/** Under which name the target has the setting: a prompt is the only one of a target that names none, and back. */
export function keyIn(state: TargetState, setting: Setting): Setting | null {
  if (Object.hasOwn(state, setting)) return setting;
  if (kindOf(setting) !== 'prompt') return null;
  if (setting !== 'prompt') return Object.hasOwn(state, 'prompt') ? 'prompt' : null;
  const prompts = Object.keys(state).filter((one) => kindOf(one) === 'prompt');
  return prompts.length === 1 ? (prompts[0] as Setting) : null;
}

const CHECKS: Record<SettingKind, { isFine: (value: Value) => boolean; wanted: string }> = {
  enabled: { isFine: (value) => typeof value === 'boolean', wanted: 'on or off' },
  type: { isFine: (value) => typeof value === 'boolean', wanted: 'on or off' },
  blocked: { isFine: (value) => typeof value === 'boolean', wanted: 'on or off' },
  prompt: { isFine: isText, wanted: 'a version' },
  model: { isFine: isText, wanted: 'the id of a model' },
  disclaimer: { isFine: (value) => value === null || isText(value), wanted: 'a text' },
  fallback: {
    isFine: (value) => FALLBACKS.some((one) => one === value),
    wanted: `one of ${FALLBACKS.join(', ')}`,
  },
  split: { isFine: (value) => isBetween(value, 0, 100), wanted: 'a percentage from 0 to 100' },
  limit: {
    isFine: (value) => value === null || (isBetween(value, 0, 1e6) && Number.isInteger(value)),
    wanted: 'a whole number of requests a minute',
  },
  'token-cap': {
    isFine: (value) => value === null || (isBetween(value, 1, 1e7) && Number.isInteger(value)),
    wanted: 'a whole number of tokens',
  },
};

function isText(value: Value): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isBetween(value: Value, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

const SUBJECTS: Partial<Record<SettingKind, RegExp>> = {
  type: /\S/,
  split: /\S/,
  limit: /^(?:(?:user|session|endpoint) \S|each (?:user|session)$)/,
  blocked: /\S/,
};

/** What is wrong with wanting this, in one sentence with the cure; null when it can be asked of a target. */
export function problemWith({ setting, to }: { setting: Setting; to: Value }): string | null {
  const check = CHECKS[kindOf(setting)];
  if (check === undefined) return `There is no setting "${setting}".`;
  const subject = SUBJECTS[kindOf(setting)];
  if (subject !== undefined && !subject.test(subjectOf(setting) ?? ''))
    return `"${setting}" does not say whom or what it is about.`;
  return check.isFine(to) ? null : `${kindOf(setting)} must be ${check.wanted}, not ${String(to)}.`;
}
