import { type ComponentState, keyOf, promptNameOf, SEEN_IN_CALLS, type ServingState } from './ledger.ts';
import type { LedgerRow } from './ledger-store.ts';

/** A component that is not the same on both sides; null is "not known". */
export interface Difference {
  component: string;
  from: ComponentState | null;
  to: ComponentState | null;
  sentence: string;
}

export interface Suspect extends Difference {
  at: Date;
  actor: string | null;
  source: string;
  /** Time of the change minus the onset: negative when it came before. */
  fromOnsetMs: number;
}

/** What is different between two serving states, by component. */
export function diff(from: ServingState, to: ServingState): Difference[] {
  const components = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return components.flatMap((component) => {
    const [before, after] = [from[component] ?? null, to[component] ?? null];
    if (sameState(before, after)) return [];
    return [{ component, from: before, to: after, sentence: sentenceOf(component, before, after) }];
  });
}

/** An onset is a minute, estimated: a change up to this much later may still be its cause. */
const ONSET_SLACK_MS = 5 * 60_000;

/**
 * Policy: the closer a change is to the onset, the more suspicious; one that came clearly after it cannot be
 * the cause and ranks behind all others. What a service was first seen with is no change. `rows` are oldest
 * first.
 */
export function suspects(rows: readonly LedgerRow[], onset: Date): Suspect[] {
  const found = effectiveRows(rows).map((row): Suspect => {
    const { component, at, actor, source } = row;
    const sentence = sentenceOf(component, row.previous, row.state) + (actor === null ? '' : ` by ${actor}`);
    const fromOnsetMs = at.getTime() - onset.getTime();
    return { component, from: row.previous, to: row.state, sentence, at, actor, source, fromOnsetMs };
  });
  const isAfter = (one: Suspect) => one.fromOnsetMs > ONSET_SLACK_MS;
  return found.sort(
    (a, b) => Number(isAfter(a)) - Number(isAfter(b)) || Math.abs(a.fromOnsetMs) - Math.abs(b.fromOnsetMs),
  );
}

/**
 * Without rows that a later one corrected, and with each row's `previous` read again from those that are
 * left.
 */
export function effectiveRows(rows: readonly LedgerRow[]): LedgerRow[] {
  const lastSeen = new Map<string, ComponentState>();
  return rows.flatMap((row, index) => {
    if (row.source !== SEEN_IN_CALLS) return sameState(row.previous, row.state) ? [] : [row];
    const isCorrected = rows
      .slice(index + 1)
      .some(
        (later) =>
          later.source === SEEN_IN_CALLS && later.component === row.component && isSameTime(later, row),
      );
    if (isCorrected) return [];
    const previous = lastSeen.get(row.component) ?? row.previous;
    lastSeen.set(row.component, row.state);
    return previous === null || sameState(previous, row.state) ? [] : [{ ...row, previous }];
  });
}

function isSameTime(a: { at: Date }, b: { at: Date }): boolean {
  return a.at.getTime() === b.at.getTime();
}

function sameState(a: ComponentState | null, b: ComponentState | null): boolean {
  return a === b || (a !== null && b !== null && keyOf(a) === keyOf(b));
}

function sentenceOf(component: string, from: ComponentState | null, to: ComponentState | null): string {
  if (component === 'model') return modelSentence(from ?? {}, to ?? {});
  if (component === 'prompt' || component.startsWith('prompt:'))
    return promptSentence(component, from ?? {}, to ?? {});
  return `${component} ${valuesOf(from)} → ${valuesOf(to)}`;
}

function modelSentence(from: ComponentState, to: ComponentState): string {
  const requested = arrow(from['requested'], to['requested']);
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

function valuesOf(state: ComponentState | null): string {
  const values = Object.values(state ?? {}).flatMap((value) => value ?? []);
  return values.length === 0 ? 'unknown' : values.join(', ');
}
