import { type ComponentState, isPrompt, isSampling, promptNameOf } from './ledger.ts';

/** A change in one line for people: "prompt answer v12 → v13", "flag refund on → off". Null is "not known". */
export function changeSentence(
  component: string,
  from: ComponentState | null,
  to: ComponentState | null,
): string {
  if (component === 'model') return modelSentence(from ?? {}, to ?? {});
  if (isPrompt(component)) return promptSentence(component, from ?? {}, to ?? {});
  const name = component.replace(':', ' ');
  if (isSampling(component)) return `${name}: ${parameterSentence(from ?? {}, to ?? {})}`;
  const [before, after] = [valuesOf(from), valuesOf(to)];
  return before === null ? `${name} ${word(after)}` : `${name} ${before} → ${word(after)}`;
}

function parameterSentence(from: ComponentState, to: ComponentState): string {
  const changed = Object.keys({ ...from, ...to }).flatMap((key) => {
    const values = [from[key] ?? null, to[key] ?? null];
    return values[0] === values[1] ? [] : [`${key} ${values[0] ?? 'unset'} → ${values[1] ?? 'unset'}`];
  });
  return changed.join(', ');
}

function modelSentence(from: ComponentState, to: ComponentState): string {
  const requested = arrow(from['requested'], to['requested']);
  if (to['served'] === undefined && requested !== null) return `model ${requested}`;
  const served = arrow(from['served'], to['served']);
  if (requested === null)
    return `served model ${served ?? word(to['served'])} (requested ${word(to['requested'])} throughout)`;
  if (served === null) return `requested model ${requested} (served ${word(to['served'])} throughout)`;
  return requested === served ? `model ${requested}` : `requested model ${requested}, served ${served}`;
}

function promptSentence(component: string, from: ComponentState, to: ComponentState): string {
  const name = promptNameOf(component);
  const prompt = name === null ? 'prompt' : `prompt ${name}`;
  if (isAbsent(from)) return `${prompt} first served, ${versionOf(to)}`;
  if (isAbsent(to)) return `${prompt} no longer served, was ${versionOf(from)}`;
  const version = arrow(from['version'], to['version']);
  if (version !== null) return `${prompt} ${version}`;
  const text = `${word(shortOf(from))} → ${word(shortOf(to))}`;
  return `${prompt} text changed under the same version ${word(to['version'])} (sha256 ${text})`;
}

function isAbsent(state: ComponentState): boolean {
  return Object.values(state).every((value) => value === null);
}

function versionOf(state: ComponentState): string {
  const version = state['version'] ?? null;
  return version === null ? `sha256 ${word(shortOf(state))}` : `version ${version}`;
}

function shortOf(state: ComponentState): string | null {
  return state['sha256']?.slice(0, 8) ?? null;
}

function arrow(from: string | null | undefined, to: string | null | undefined): string | null {
  return (from ?? null) === (to ?? null) ? null : `${word(from)} → ${word(to)}`;
}

function word(value: string | null | undefined): string {
  return value ?? 'unknown';
}

function valuesOf(state: ComponentState | null): string | null {
  const values = Object.values(state ?? {}).flatMap((value) => value ?? []);
  return values.length === 0 ? null : values.join(', ');
}
