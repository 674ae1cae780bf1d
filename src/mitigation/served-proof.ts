import type { Step } from './plan.ts';
import { kindOf, subjectOf, type Value } from './serving.ts';

/** What was seen of one served variant since the mitigation was applied. */
export interface SeenVariant {
  promptName: string | null;
  promptVersion: string | null;
  requestModel: string | null;
  responseModel: string | null;
  n: number;
  firstAt: Date;
  lastAt: Date;
}

/** What live calls show of a step: not yet anything, that it is so, or that it is not. */
export interface Finding {
  state: 'waiting' | 'shown' | 'contradicted';
  line: string;
  /** Since when it is so. */
  at: Date | null;
  /** What it is when the deadline finds it waiting; `unproven` unless said otherwise. */
  whenLate?: 'unproven' | 'not-contained';
}

/** Clients that cache what they serve get this long before calls of the old state count against the mitigation. */
export const CACHE_MS = 2 * 60_000;
const SERVED_CALLS = 3;

type Identity = Omit<SeenVariant, 'n' | 'firstAt' | 'lastAt'>;

/** True when this variant is what the steps want served. */
export function isWanted(steps: readonly Step[], variant: Identity): boolean {
  return steps.every(({ setting, to }) => {
    const kind = kindOf(setting);
    if (kind === 'model') return isModel(to, variant);
    if (kind !== 'prompt') return true;
    const name = subjectOf(setting);
    const isItsPrompt = name === null || variant.promptName === null || variant.promptName === name;
    return isItsPrompt && variant.promptVersion === to;
  });
}

/** The model that answered is the pinned one, or a dated snapshot of it when the alias was asked for by that name. */
export function isModel(
  wanted: Value,
  { requestModel, responseModel }: Pick<SeenVariant, 'requestModel' | 'responseModel'>,
): boolean {
  if (typeof wanted !== 'string') return false;
  if (responseModel === null) return requestModel === wanted;
  return responseModel === wanted || (requestModel === wanted && responseModel.startsWith(`${wanted}-`));
}

/** Policy: shown when at least 3 live calls are served as wanted and none otherwise two minutes after the first. */
export function judgeServed(steps: readonly Step[], variants: readonly SeenVariant[]): Finding {
  const concerned = variants.filter((variant) => concerns(steps, variant));
  const wanted = concerned.filter((variant) => isWanted(steps, variant));
  const others = concerned.filter((variant) => !isWanted(steps, variant));
  const at = earliest(wanted);
  const [wantedN, othersN] = [sum(wanted), sum(others)];
  if (at !== null && wantedN >= SERVED_CALLS && !outlives(others, wanted)) {
    const line = `Served by live calls since ${at.toISOString().slice(11, 19)} UTC (n = ${wantedN}).`;
    return { state: 'shown', line, at };
  }
  if (wantedN + othersN === 0) {
    return { state: 'waiting', line: 'Waiting for live calls: none has come since it was applied.', at };
  }
  return {
    state: 'waiting',
    line: `The target says so, but live calls do not yet: ${wantedN} served as wanted, ${othersN} otherwise.`,
    at,
    whenLate: othersN > 0 ? 'not-contained' : 'unproven',
  };
}

/** From when on only the wanted state served; null while it has not. */
export function servedAloneSince(
  steps: readonly Step[],
  { variants, appliedAt }: { variants: readonly SeenVariant[]; appliedAt: Date },
): Date {
  const others = variants.filter((variant) => concerns(steps, variant) && !isWanted(steps, variant));
  const lastOther = latest(others);
  return lastOther === null ? appliedAt : new Date(lastOther.getTime() + 1);
}

/** Calls of another prompt of the service say nothing about a plan that changes one prompt. */
function concerns(steps: readonly Step[], variant: SeenVariant): boolean {
  const prompts = steps.filter(({ setting }) => kindOf(setting) === 'prompt');
  const names = prompts.map(({ setting }) => subjectOf(setting));
  if (names.length < steps.length || names.includes(null) || variant.promptName === null) return true;
  return names.includes(variant.promptName);
}

/** Calls of the old state still come when every client has had time to notice the wanted one. */
function outlives(others: readonly SeenVariant[], wanted: readonly SeenVariant[]): boolean {
  const lastOther = latest(others);
  const firstWanted = earliest(wanted);
  if (lastOther === null || firstWanted === null) return false;
  return lastOther.getTime() - firstWanted.getTime() > CACHE_MS;
}

export const sum = (variants: readonly SeenVariant[]) =>
  variants.reduce((total, variant) => total + variant.n, 0);

export function earliest(variants: readonly SeenVariant[]): Date | null {
  return variants.reduce<Date | null>(
    (first, { firstAt }) => (first === null || firstAt < first ? firstAt : first),
    null,
  );
}

export function latest(variants: readonly SeenVariant[]): Date | null {
  return variants.reduce<Date | null>(
    (last, { lastAt }) => (last === null || lastAt > last ? lastAt : last),
    null,
  );
}
