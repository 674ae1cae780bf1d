import type { ComponentState } from '../../evidence/ledger.ts';

/** A component's state for people: "v13", "gpt-4 (served gpt-4-0613)", "temperature 0.2, top_p 1". */
export function describeComponent(state: ComponentState | null): string {
  if (state === null) return 'unknown';
  const { version, sha256, requested, served } = state;
  if (requested !== undefined || served !== undefined) {
    if (requested === served || !served) return requested ?? 'unknown';
    return requested ? `${requested} (served ${served})` : served;
  }
  if (version !== undefined || sha256 !== undefined)
    return version ?? `sha256 ${sha256?.slice(0, 8) ?? 'unknown'}`;
  const known = Object.entries(state).filter(([, value]) => value !== null);
  return known.map(([key, value]) => (key === 'value' ? value : `${key} ${value}`)).join(', ') || 'unknown';
}

/** A component's name for people: "prompt answer", "flag enabled". */
export function nameOfComponent(component: string): string {
  return component.replace(':', ' ');
}
