import type { Step } from './plan.ts';
import { kindOf, type Setting, subjectOf, type TargetState, type Value, valueIn } from './serving.ts';
import { splitGroup, splitsOf } from './serving-change.ts';

/** What a safety incident holds back, and what is served now as far as it is known. */
export interface Held {
  /** What its own mitigations that are in force did, oldest first. */
  own: readonly Step[];
  /** What those of other incidents did, while it is live. */
  others: readonly Step[];
  /** The plan goes back to what the ledger has seen serving well. */
  isKnownGood: boolean;
  /** The plan is of another incident, and this one is live. */
  isForeign: boolean;
}

/**
 * Policy: while something is held back for safety, nothing of the service may be served more freely than now: not
 * switched on, not by a weaker fallback, a wider limit, a disclaimer that lost words, nor by any version but a safe one.
 */
export function isFreer({ setting, from, to }: Step, held: Held, state: TargetState): boolean {
  if (groupOf(setting) !== null) return servesTakenAway({ setting, from, to }, held, state);
  if (kindOf(setting) === 'limit')
    return atMost(to ?? everyone(setting, state)) > atMost(from ?? everyone(setting, state));
  return loosens({ setting, from, to });
}

/** The steps of a plan, one after the other, that serve more freely than before them. */
export function freerSteps(steps: readonly Step[], held: Held, now: TargetState): Step[] {
  let state: TargetState = now;
  return steps.filter((step) => {
    const before = { ...state, [nameIn(step.setting, state)]: step.from };
    const is = isFreer(step, held, before);
    state = { ...before, [nameIn(step.setting, before)]: step.to };
    return is;
  });
}

/** True when the step by itself takes a restriction off or widens it; of versions and splits nothing can be told. */
export function loosens({ setting, from, to }: Step): boolean {
  switch (kindOf(setting)) {
    case 'enabled':
    case 'type':
      return to === true && from !== true;
    case 'blocked':
      return to === false && from !== false;
    case 'fallback':
      return strength(to) < strength(from);
    case 'limit':
    case 'token-cap':
      return atMost(to) > atMost(from);
    case 'disclaimer':
      return from !== null && !String(to ?? '').includes(String(from));
    default:
      return false;
  }
}

const STRENGTH: Readonly<Record<string, number>> = { none: 0, cached: 1, simple: 1, notice: 2, queue: 2 };
const strength = (mode: Value) => STRENGTH[String(mode ?? 'none')] ?? 0;

const atMost = (limit: Value) => (limit === null ? Number.POSITIVE_INFINITY : Number(limit));

/** The limit of whoever has none by name. */
function everyone(setting: Setting, state: TargetState): Value {
  const [part = ''] = (subjectOf(setting) ?? '').split(' ');
  return part === 'each' ? null : valueIn(state, `limit:each ${part}`);
}

/** What versions of which stand for each other: "model", "prompt NAME"; "prompt" is whichever the service has. */
export function groupOf(setting: Setting): string | null {
  const subject = subjectOf(setting);
  switch (kindOf(setting)) {
    case 'model':
      return 'model';
    case 'prompt':
      return subject === null ? 'prompt' : `prompt ${subject}`;
    case 'split': {
      const prompt = splitGroup(subject ?? '');
      return prompt === null ? 'model' : `prompt ${prompt}`;
    }
    default:
      return null;
  }
}

const isSameGroup = (a: string | null, b: string | null) =>
  a !== null &&
  b !== null &&
  (a === b || (a.startsWith('prompt') && b.startsWith('prompt') && (a === 'prompt' || b === 'prompt')));

/** Whether both settings are about the same: a prompt without a name is the one that the service has. */
export function isSameSetting(a: Setting, b: Setting): boolean {
  return a === b || (kindOf(a) === 'prompt' && kindOf(b) === 'prompt' && isSameGroup(groupOf(a), groupOf(b)));
}

/** Under which name the state has the setting. */
const nameIn = (setting: Setting, state: TargetState) =>
  Object.keys(state).find((one) => isSameSetting(one, setting)) ?? setting;

/** What a step is about, as far as another may undo its effect. */
export function touches({ setting }: Step, held: Step): boolean {
  if (isSameGroup(groupOf(setting), groupOf(held.setting)) || setting === held.setting) return true;
  const [part, of] = [setting, held.setting].map((one) => (subjectOf(one) ?? '').split(' '));
  return held.setting.startsWith('limit:each ') && kindOf(setting) === 'limit' && part?.[0] === of?.[1];
}

/**
 * Policy: more of the traffic may go to what its own mitigations put in place, and, where they changed no version yet, its own
 * plans may choose another; never to what was taken away.
 */
function servesTakenAway(step: Step, held: Held, state: TargetState): boolean {
  const group = groupOf(step.setting);
  const before = sharesOf(group, state);
  const after = sharesOf(group, { ...state, [nameIn(step.setting, state)]: step.to });
  const own = movesOf(group, held.own, before.usual);
  const others = movesOf(group, held.others, before.usual);
  const gaining = [...after.shares].filter(([version, share]) => share > (before.shares.get(version) ?? 0));
  return gaining.some(([version]) => {
    if (own.away.has(version)) return true;
    if (held.isKnownGood || own.inPlace.has(version)) return false;
    if (others.away.has(version)) return true;
    // Ending a split goes back to what is served usually, which nobody took away.
    if (version === before.usual && own.inPlace.size === 0) return false;
    return held.isForeign || own.inPlace.size > 0;
  });
}

/** Percent of the traffic by version; `usual` is what goes to everybody without an arm, '' where it is unknown. */
function sharesOf(group: string | null, state: TargetState): { usual: string; shares: Map<string, number> } {
  const known = Object.entries(state).find(
    ([setting]) => kindOf(setting) !== 'split' && isSameGroup(groupOf(setting), group),
  );
  const usual = String(known?.[1] ?? '');
  const shares = new Map<string, number>();
  const add = (version: string, percent: number) => shares.set(version, (shares.get(version) ?? 0) + percent);
  const arms = splitsOf(state).filter(({ subject }) => isSameGroup(groupOf(`split:${subject}`), group));
  for (const { subject, percent } of arms) add(versionOf(subject), percent);
  add(usual, Math.max(0, 100 - arms.reduce((total, { percent }) => total + percent, 0)));
  return { usual, shares };
}

const versionOf = (arm: string) => arm.slice(arm.indexOf('=') + 1);

/** Which versions the steps took away, and which they put in place. */
function movesOf(
  group: string | null,
  steps: readonly Step[],
  usual: string,
): { away: Set<string>; inPlace: Set<string> } {
  const away = new Set<string>();
  const inPlace = new Set<string>();
  for (const { setting, from, to } of steps) {
    if (!isSameGroup(groupOf(setting), group)) continue;
    const arm = kindOf(setting) === 'split' ? versionOf(subjectOf(setting) ?? '') : null;
    if (arm === null) {
      away.add(String(from ?? ''));
      inPlace.add(String(to));
    } else if (Number(to) > Number(from)) {
      if (usual !== arm) away.add(usual);
      inPlace.add(arm);
    } else away.add(arm);
  }
  return { away, inPlace };
}
