import { type ComponentState, keyOf } from './ledger.ts';

/** A component that a target says is something else than it said before. */
export interface ReadChange {
  component: string;
  state: ComponentState;
  previous: ComponentState | null;
}

/**
 * Policy: what a target was first read with is no change, and neither is what it does not say. Where it says all that is
 * not at rest, what it names no more is at rest again, and what it begins to name was at rest before (`restingState`).
 */
export function changesRead(reading: {
  known: ReadonlyMap<string, { state: ComponentState }>;
  read: ReadonlyMap<string, ComponentState>;
  /** What a component is that goes unnamed; null where that cannot be told. */
  restingState(component: string, which: 'before' | 'now'): ComponentState | null;
}): ReadChange[] {
  const { known, read, restingState } = reading;
  const isFirst = known.size === 0;
  const components = [...new Set([...known.keys(), ...read.keys()])].sort();
  return components.flatMap((component): ReadChange[] => {
    const before = known.get(component)?.state ?? null;
    const state = read.get(component) ?? restingState(component, 'now');
    if (state === null || (before !== null && keyOf(before) === keyOf(state))) return [];
    return [{ component, state, previous: before ?? (isFirst ? null : restingState(component, 'before')) }];
  });
}
