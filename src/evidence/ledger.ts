import { SAMPLING_PARAMETERS } from '../sources/call.ts';
import type { ServedBy, ServedCall } from '../sources/call-sample-store.ts';

/**
 * What one component was: `{version, sha256}` of a prompt, `{requested, served}` of the model, the parameters of
 * `sampling`, `{value}` of anything else. A source says what it knows: a key that is absent is not known to it.
 */
export type ComponentState = Record<string, string | null>;

/**
 * Everything that was serving at one time, by component: `prompt:NAME` (`prompt` when it has no name), `model`,
 * `sampling:PROMPT`, `flag:NAME`, `split:MODEL`, `fallback`, `index:NAME`, `deploy:NAME`, and what a target limits.
 */
export type ServingState = Record<string, ComponentState>;

/** One component became something else at `at`; `previous` is null when it was not known before. */
export interface LedgerChange {
  component: string;
  state: ComponentState;
  previous: ComponentState | null;
  at: Date;
}

/** A component as it was decided last, the date of that, and its latest calls, oldest first. */
export interface Observed {
  current: ComponentState | null;
  since: Date | null;
  window: Sighting[];
}

interface Sighting {
  key: string;
  state: ComponentState;
  at: Date;
}

/**
 * Where a row comes from: `calls` were seen; `reported` (or `reported:NAME`) is what somebody told; anything else is the
 * type of the target that was read. Policy: what calls show outranks what a target says, and that what people report.
 */
export const SEEN_IN_CALLS = 'calls';
export const REPORTED = 'reported';

export function isReported(source: string): boolean {
  return source === REPORTED || source.startsWith(`${REPORTED}:`);
}

export const WINDOW_CALLS = 20;

/**
 * Policy: a component's state is the variant that made more than half of its last 20 calls (of all of them
 * while there are fewer, so the first call sets it), dated at that variant's first call in those 20, yet
 * after the change before. A 10 % canary is therefore no change. Pure: `calls` are in time order; the answer
 * carries on to the next page.
 */
export function observeCalls({
  known,
  calls,
}: {
  known: Map<string, Observed>;
  calls: readonly ServedCall[];
}): {
  changes: LedgerChange[];
  known: Map<string, Observed>;
} {
  const after = new Map(known);
  const changes: LedgerChange[] = [];
  for (const call of calls) {
    for (const [component, state] of componentsOf(call)) {
      const before = after.get(component) ?? { current: null, since: null, window: [] };
      const sighting = { key: keyOf(state), state, at: call.at };
      const window = [...before.window, sighting].slice(-WINDOW_CALLS);
      const change = changeSeen(before, window, component);
      if (change !== null) changes.push(change);
      const now = change === null ? before : { current: change.state, since: change.at };
      after.set(component, { current: now.current, since: now.since, window });
    }
  }
  return { changes, known: after };
}

/** What a call tells, by component. */
export function componentsOf(call: ServedCall): [string, ComponentState][] {
  const found: [string, ComponentState][] = [];
  if (call.promptName !== null || call.promptVersion !== null || call.promptSha256 !== null) {
    found.push([
      promptComponent(call.promptName),
      { version: call.promptVersion, sha256: call.promptSha256 },
    ]);
  }
  if (call.requestModel !== null || call.responseModel !== null) {
    found.push(['model', { requested: call.requestModel, served: call.responseModel }]);
  }
  const sampling = samplingOf(call.parameters);
  if (sampling !== null) found.push([samplingComponent(call.promptName), sampling]);
  return found;
}

function samplingOf(parameters: ServedCall['parameters']): ComponentState | null {
  const values = SAMPLING_PARAMETERS.flatMap((name) => {
    const value = parameters[name];
    return value === undefined ? [] : [[name, String(value)]];
  });
  return values.length === 0 ? null : Object.fromEntries(values);
}

/** Policy: each prompt has sampling parameters of its own, so that two prompts of a service do not look like a change. */
function samplingComponent(promptName: string | null): string {
  return promptName === null ? 'sampling' : `sampling:${promptName}`;
}

/** Which calls tell about a component that calls show. */
export function servedBy(component: string): ServedBy {
  if (component === 'model') return { kind: 'model' };
  if (isSampling(component))
    return { kind: 'sampling', name: component === 'sampling' ? null : component.slice('sampling:'.length) };
  return { kind: 'prompt', name: promptNameOf(component) };
}

export function isPrompt(component: string): boolean {
  return component === 'prompt' || component.startsWith('prompt:');
}

export function isSampling(component: string): boolean {
  return component === 'sampling' || component.startsWith('sampling:');
}

export function promptComponent(name: string | null): string {
  return name === null ? 'prompt' : `prompt:${name}`;
}

/** The name within `prompt:NAME`, null for the nameless one. */
export function promptNameOf(component: string): string | null {
  return component === 'prompt' ? null : component.slice('prompt:'.length);
}

/** Equal whatever the order of the keys. */
export function keyOf(state: ComponentState): string {
  return JSON.stringify(Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function changeSeen(before: Observed, window: Sighting[], component: string): LedgerChange | null {
  const newest = window.at(-1);
  // Only the variant of the newest call can have come to a majority with it.
  if (newest === undefined || (before.current !== null && keyOf(before.current) === newest.key)) return null;
  const sightings = window.filter((one) => one.key === newest.key);
  if (sightings.length * 2 <= window.length) return null;
  const { since } = before;
  const first = sightings.find((one) => since === null || one.at >= since) ?? newest;
  return { component, state: newest.state, previous: before.current, at: first.at };
}

/**
 * What must be appended to a history that was observed before, so that it reads as `replayed`: late calls can
 * date a change earlier, add one or take one back. `entry` is the state at the start of both; rows are in
 * order.
 */
export function corrections(histories: {
  entry: ComponentState | null;
  recorded: readonly Pick<LedgerChange, 'at' | 'state'>[];
  replayed: readonly LedgerChange[];
}): Omit<LedgerChange, 'component'>[] {
  const { entry, recorded, replayed } = histories;
  const dates = [...recorded, ...replayed].map((row) => row.at.getTime());
  const appended: Omit<LedgerChange, 'component'>[] = [];
  let read = entry;
  let wanted = entry;
  for (const time of [...new Set(dates)].sort((a, b) => a - b)) {
    const previous = wanted;
    read = recorded.findLast((row) => row.at.getTime() === time)?.state ?? read;
    wanted = replayed.findLast((row) => row.at.getTime() === time)?.state ?? wanted;
    if (wanted === null || (read !== null && keyOf(read) === keyOf(wanted))) continue;
    appended.push({ state: wanted, previous, at: new Date(time) });
    read = wanted;
  }
  return appended;
}
