import { changeSentence } from './change-sentence.ts';
import { type ComponentState, isReported, keyOf, SEEN_IN_CALLS, type ServingState } from './ledger.ts';
import type { LedgerRow } from './ledger-store.ts';

/** A component that is not the same on both sides; null is "not known". */
export interface Difference {
  component: string;
  from: ComponentState | null;
  to: ComponentState | null;
  sentence: string;
}

export interface Suspect extends Difference {
  /** The sentence without the actor. */
  change: string;
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
    return [{ component, from: before, to: after, sentence: changeSentence(component, before, after) }];
  });
}

/** An onset is a minute, estimated: a change up to this much later may still be its cause. */
const ONSET_SLACK_MS = 5 * 60_000;

/**
 * Policy: the closer a change is to the onset, the more suspicious; one that came clearly after it cannot be
 * the cause and ranks behind all others. What a service was first seen with is no change, and a change that several
 * sources tell is one. `rows` are oldest first.
 */
export function suspects(rows: readonly LedgerRow[], onset: Date): Suspect[] {
  const found = toldOnce(effectiveRows(rows)).map((row): Suspect => {
    const { component, at, actor, source } = row;
    const by = actor === null ? '' : ` by ${actor}`;
    const change = changeSentence(component, row.previous, row.state);
    const sentence = change + by;
    const fromOnsetMs = at.getTime() - onset.getTime();
    return { component, from: row.previous, to: row.state, sentence, change, at, actor, source, fromOnsetMs };
  });
  const isAfter = (one: Suspect) => one.fromOnsetMs > ONSET_SLACK_MS;
  return found.sort(
    (a, b) => Number(isAfter(a)) - Number(isAfter(b)) || Math.abs(a.fromOnsetMs) - Math.abs(b.fromOnsetMs),
  );
}

/** A cache in front of a target, a pipeline that reports before it deploys: so far apart it may be the same change. */
const TOLD_BEFORE_MS = 60 * 60_000;

/**
 * Policy: of rows that tell of one change the one nearest to the users counts (calls, then a target, then a report),
 * with the actor that any of them names.
 */
function toldOnce(rows: readonly LedgerRow[]): LedgerRow[] {
  const actors = new Map<LedgerRow, string>();
  const kept = rows.filter((row) => {
    const better = rows
      .filter((other) => rankOf(other) > rankOf(row) && isSameChange(other, row))
      .reduce<LedgerRow | undefined>(
        (best, one) => (best && rankOf(best) >= rankOf(one) ? best : one),
        undefined,
      );
    if (better !== undefined && row.actor !== null && better.actor === null) actors.set(better, row.actor);
    return better === undefined;
  });
  return kept.map((row) => ({ ...row, actor: row.actor ?? actors.get(row) ?? null }));
}

function rankOf({ source }: LedgerRow): number {
  if (source === SEEN_IN_CALLS) return 2;
  return isReported(source) ? 0 : 1;
}

function isSameChange(shown: LedgerRow, told: LedgerRow): boolean {
  const laterMs = shown.at.getTime() - told.at.getTime();
  if (shown.component !== told.component || laterMs > TOLD_BEFORE_MS || laterMs < -ONSET_SLACK_MS)
    return false;
  const common = Object.keys(told.state).filter((key) => told.state[key] && shown.state[key]);
  if (common.length > 0 && common.every((key) => told.state[key] === shown.state[key])) return true;
  // A target may call the model that it asks for what the calls show as the one that answered.
  const values = Object.values(told.state).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => Object.values(shown.state).includes(value));
}

/**
 * Without rows that a later one corrected, and with each row's `previous` read again from those that are
 * left.
 */
export function effectiveRows(rows: readonly LedgerRow[]): LedgerRow[] {
  const lastSeen = new Map<string, ComponentState>();
  return rows.flatMap((row, index) => {
    if (row.source !== SEEN_IN_CALLS)
      return row.previous === null || sameState(row.previous, row.state) ? [] : [row];
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
