import { sha256Of } from '../evidence/digest.ts';
import { type ComponentState, isPrompt, promptNameOf, type ServingState } from '../evidence/ledger.ts';
import { isResume, type Wanted } from './plan.ts';
import { isUnknown, kindOf, type Setting, subjectOf, type TargetState, type Value } from './serving.ts';

/** What the ledger calls a target's setting: `flag:enabled`, `flag:type:refund`, `prompt:answer`, `limit:user u1`. */
export function componentOf(setting: Setting): string {
  const kind = kindOf(setting);
  const subject = subjectOf(setting);
  if (kind === 'enabled') return 'flag:enabled';
  if (kind === 'type') return `flag:${setting}`;
  // A phrase that is held back is text, and the ledger holds none.
  return kind === 'blocked' ? `blocked:${sha256Of(subject ?? '').slice(0, 12)}` : setting;
}

/** What a target says of its settings, as the ledger keeps it; what it does not know is left out. */
export function componentsIn(state: TargetState): Map<string, ComponentState> {
  const known = Object.entries(state).filter(([setting, value]) => !isUnknown(setting, value));
  return new Map(known.map(([setting, value]) => [componentOf(setting), stateOf(setting, value)]));
}

function stateOf(setting: Setting, value: Value): ComponentState {
  switch (kindOf(setting)) {
    case 'prompt':
      return { version: String(value) };
    case 'model':
      return { requested: String(value) };
    case 'disclaimer':
      return { value: value === null ? NONE : `sha256 ${sha256Of(String(value)).slice(0, 12)}` };
    case 'split':
      return { value: `${String(value)} %` };
    default:
      if (typeof value === 'boolean') return { value: value ? 'on' : 'off' };
      return { value: value === null ? NONE : String(value) };
  }
}

const NONE = 'none';
const UNLIMITED: Record<string, string> = {
  limit: NONE,
  'token-cap': NONE,
  disclaimer: NONE,
  blocked: 'off',
};
const AT_REST: Record<string, string> = { ...UNLIMITED, split: '0 %', fallback: NONE, type: 'on' };

/**
 * What a component is that a target does not name: nothing is limited or held back, and, where it names whatever is not
 * at rest, nothing is shared or switched. Null: that cannot be told.
 */
export function restingState(component: string, { isWhole }: { isWhole: boolean }): ComponentState | null {
  const setting = settingOf(component) ?? component;
  const value = (isWhole ? AT_REST : UNLIMITED)[kindOf(setting)];
  return value === undefined ? null : { value };
}

/** The target's setting, where the ledger's name still says it; null for what has none, such as `index`. */
export function settingOf(component: string): Setting | null {
  if (component === 'flag:enabled') return 'enabled';
  if (component.startsWith('flag:type:')) return component.slice('flag:'.length);
  const kind = kindOf(component);
  const isSetting = ['prompt', 'model', 'split', 'fallback', 'limit', 'token-cap', 'disclaimer'].includes(
    kind,
  );
  return isSetting ? component : null;
}

/** What makes one serving state another: all that a target can go back to. What was limited or switched off is not it. */
export function isSettable(component: string): boolean {
  const setting = settingOf(component);
  return setting !== null && ['prompt', 'model', 'split', 'type'].includes(kindOf(setting));
}

/**
 * What a target is told so that it serves this state: each prompt's version, the model that really answered, shares and
 * flags. Policy: it never gives back what holds users off; that is a resume, which somebody asks for by name.
 */
export function wantedToServe(state: ServingState): Wanted[] {
  return Object.entries(withoutTwin(state)).flatMap(([component, values]): Wanted[] => {
    const wanted = isSettable(component) ? wantedOf(component, values) : null;
    return wanted === null || isResume(wanted) ? [] : [wanted];
  });
}

/** A target that names no prompt means the only one that calls name. */
export function withoutTwin(state: ServingState): ServingState {
  const named = Object.keys(state).filter((component) => component.startsWith('prompt:'));
  if (named.length !== 1) return state;
  return Object.fromEntries(Object.entries(state).filter(([component]) => component !== 'prompt'));
}

function wantedOf(component: string, values: ComponentState): Wanted | null {
  const { version, served, requested, value } = values;
  if (component === 'model') {
    const to = served ?? requested;
    return to ? { setting: component, to } : null;
  }
  if (isPrompt(component)) {
    const name = promptNameOf(component);
    return version ? { setting: name === null ? 'prompt' : component, to: version } : null;
  }
  const setting = settingOf(component);
  if (setting === null || value == null) return null;
  if (kindOf(setting) === 'split') return { setting, to: Number.parseFloat(value) };
  return value === 'on' || value === 'off' ? { setting, to: value === 'on' } : null;
}
