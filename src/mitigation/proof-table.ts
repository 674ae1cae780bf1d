import { wilsonBounds } from '../detection/statistics.ts';
import type { Step } from './plan.ts';
import {
  CACHE_MS,
  earliest,
  type Finding,
  isModel,
  judgeServed,
  latest,
  type SeenVariant,
  sum,
} from './served-proof.ts';
import { kindOf, type SettingKind, subjectOf } from './serving.ts';

/** What live traffic says of one step; which of its numbers mean what is said by the kind of its setting. */
export interface StepFacts {
  /** Outputs or calls that were looked at, two minutes after it was applied or later. */
  n: number;
  /** Those that carry the disclaimer, hold the phrase, or are above the cap; answered calls of the limited one. */
  hits: number;
  /** Calls of the query type in the hour before. */
  before?: number;
  lastAt?: Date | null;
}

/** All that the proof of a plan's settings is judged by. */
export interface LiveTraffic {
  appliedAt: Date;
  now: Date;
  /** Since it was applied. */
  variants: readonly SeenVariant[];
  /** Since clients have had time to notice. */
  settled: readonly SeenVariant[];
  /** Models that answered in the hour before. */
  modelsBefore: readonly string[];
  facts: ReadonlyMap<string, StepFacts>;
}

/**
 * `decides`: without recovery of the metric that tripped it is not proven. `if-any`: the metric must recover where one
 * tripped. `apart`: its own effect proves it, and the metric may stay as it is.
 */
type Metric = 'decides' | 'if-any' | 'apart';

interface ProofOfKind {
  metric: Metric;
  judge(step: Step, seen: LiveTraffic, steps: readonly Step[]): Finding;
}

/** What is proven by silence needs this long without a call; a limit this long below it. */
export const WATCHED_MS = 5 * 60_000;
const OUTPUTS = 20;
const LATER_OUTPUTS = 100;
const LIVE_CALLS = 3;

/** What proves each kind of setting. */
const PROOFS: Record<SettingKind, ProofOfKind> = {
  /** Live calls are served by it. */
  prompt: { metric: 'decides', judge: (_, { variants }, steps) => judgeServed(steps, variants) },
  model: { metric: 'decides', judge: (_, { variants }, steps) => judgeServed(steps, variants) },
  /** Off: five minutes without a call. On: calls come. */
  enabled: { metric: 'if-any', judge: (step, seen) => (step.to === false ? silence(seen) : calls(seen)) },
  type: { metric: 'apart', judge: ofType },
  /** Calls stop, or other models answer than before. Back to none: calls come. */
  fallback: { metric: 'apart', judge: (step, seen) => (step.to === 'none' ? calls(seen) : ofFallback(seen)) },
  /** The arm's share of at least 100 calls is what was wanted, within the binomial interval. */
  split: { metric: 'apart', judge: ofSplit },
  /** Five minutes in which whoever is limited got no more answers than the limit. */
  limit: { metric: 'if-any', judge: (step, seen) => (step.to === null ? calls(seen) : ofLimit(step, seen)) },
  'token-cap': {
    metric: 'if-any',
    judge: (step, seen) =>
      step.to === null
        ? calls(seen)
        : none(step, seen, { atLeast: OUTPUTS, what: `above ${step.to} tokens` }),
  },
  disclaimer: { metric: 'apart', judge: ofDisclaimer },
  blocked: {
    metric: 'apart',
    judge: (step, seen) =>
      step.to === false
        ? calls(seen)
        : none(step, seen, { atLeast: LATER_OUTPUTS, what: 'holding the phrase' }),
  },
};

/** One finding for each setting; a prompt and a model that change together are one. */
export function findingsOf(steps: readonly Step[], seen: LiveTraffic): Finding[] {
  const off = steps.find(({ setting, to }) => kindOf(setting) === 'enabled' && to === false);
  if (off !== undefined) return [silence(seen)];
  const served = steps.filter(({ setting }) => isServed(setting));
  const others = steps.filter(({ setting }) => !isServed(setting));
  const first = served.slice(0, 1);
  return [...first, ...others].map((step) => PROOFS[kindOf(step.setting)].judge(step, seen, served));
}

const isServed = (setting: string) => ['prompt', 'model'].includes(kindOf(setting));

/** What the metric that tripped has to say about the steps: the strictest of their kinds. */
export function metricFor(steps: readonly Step[]): Metric {
  if (steps.some(({ setting, to }) => kindOf(setting) === 'enabled' && to === false)) return 'apart';
  const kinds = steps.map(({ setting }) => PROOFS[kindOf(setting)].metric);
  return (['decides', 'if-any'] as const).find((metric) => kinds.includes(metric)) ?? 'apart';
}

function silence({ variants, appliedAt, now }: LiveTraffic): Finding {
  const cacheUntil = new Date(appliedAt.getTime() + CACHE_MS);
  const late = variants.filter((variant) => variant.lastAt > cacheUntil);
  if (late.length > 0) {
    const line = `The target says that it is disabled, but ${sum(late)} calls came after two minutes.`;
    return { state: 'contradicted', line, at: null };
  }
  const quietSince = latest(variants) ?? appliedAt;
  if (now.getTime() - quietSince.getTime() >= WATCHED_MS) {
    return { state: 'shown', line: 'No call reached the feature for five minutes.', at: quietSince };
  }
  return { state: 'waiting', line: 'Waiting for five minutes without a call.', at: null };
}

function calls({ variants }: LiveTraffic): Finding {
  const n = sum(variants);
  const at = earliest(variants);
  if (n >= LIVE_CALLS) return { state: 'shown', line: `Live calls come (n = ${n}).`, at };
  return { state: 'waiting', line: `Waiting for live calls: ${n} so far.`, at: null };
}

function ofFallback(seen: LiveTraffic): Finding {
  const { settled, variants, modelsBefore } = seen;
  const isAsBefore = ({ responseModel, requestModel }: SeenVariant) => {
    const model = responseModel ?? requestModel;
    return model !== null && modelsBefore.includes(model);
  };
  const asBefore = sum(settled.filter(isAsBefore));
  if (asBefore > 0) {
    const line = `The target says that the fallback is on, but ${asBefore} calls were answered as before.`;
    return { state: 'contradicted', line, at: null };
  }
  const n = sum(settled);
  if (n >= LIVE_CALLS) {
    const line = `The fallback answers; none of ${n} calls was answered as before.`;
    return { state: 'shown', line, at: earliest(settled) };
  }
  return silence({ ...seen, variants: variants.filter(isAsBefore) });
}

function ofType(step: Step, { facts, appliedAt, now }: LiveTraffic): Finding {
  const { before = 0, hits = 0, n = 0, lastAt = null } = facts.get(step.setting) ?? {};
  const type = subjectOf(step.setting) ?? '';
  if (step.to === true) {
    if (hits >= LIVE_CALLS)
      return { state: 'shown', line: `Queries of type ${type} come (n = ${hits}).`, at: null };
    return { state: 'waiting', line: `Waiting for queries of type ${type}: ${hits} so far.`, at: null };
  }
  if (n > 0) {
    const line = `${n} queries of type ${type} were answered two minutes later and after.`;
    return { state: 'contradicted', line, at: null };
  }
  if (before === 0) {
    const line = `No call named the query type ${type} before either, so live calls cannot show it.`;
    return { state: 'waiting', line, at: null };
  }
  const quietSince = lastAt ?? appliedAt;
  if (now.getTime() - quietSince.getTime() < WATCHED_MS)
    return { state: 'waiting', line: `Waiting for five minutes without queries of type ${type}.`, at: null };
  const line = `No query of type ${type} for five minutes; there were ${before} in the hour before.`;
  return { state: 'shown', line, at: quietSince };
}

/** Two-sided 99 %: a share that is looked at again and again must not fall out of its interval by chance. */
const Z_SPLIT = 2.5758293035489004;

function ofSplit(step: Step, { settled }: LiveTraffic): Finding {
  const arm = subjectOf(step.setting) ?? '';
  const n = sum(settled);
  const inArm = sum(settled.filter((variant) => isArm(arm, variant)));
  const wanted = Number(step.to) / 100;
  if (n < LATER_OUTPUTS) {
    return {
      state: 'waiting',
      line: `Waiting for calls to compare the arms: ${n}/${LATER_OUTPUTS}.`,
      at: null,
    };
  }
  const { lower, upper } = wilsonBounds({ passed: inArm, n, z: Z_SPLIT });
  const share = `${((inArm / n) * 100).toFixed(1)} % of ${n} calls went to ${arm}, ${Number(step.to)} % wanted`;
  const isWithin = lower <= wanted && wanted <= upper;
  const at = earliest(settled);
  if (isWithin) return { state: 'shown', line: `${share}.`, at };
  return { state: 'waiting', line: `${share}: outside the interval.`, at: null, whenLate: 'not-contained' };
}

/** An arm is a model, or PROMPT=VERSION. */
export function isArm(arm: string, variant: Omit<SeenVariant, 'n' | 'firstAt' | 'lastAt'>): boolean {
  const [, name, version] = /^([^=]+)=(.+)$/.exec(arm) ?? [];
  if (version !== undefined) return variant.promptName === name && variant.promptVersion === version;
  return isModel(arm, variant) || variant.promptVersion === arm;
}

function ofLimit(step: Step, { facts, appliedAt, now }: LiveTraffic): Finding {
  const whom = subjectOf(step.setting) ?? '';
  const watchedMs = now.getTime() - appliedAt.getTime();
  if (watchedMs < WATCHED_MS)
    return { state: 'waiting', line: `Watching ${whom} for five minutes.`, at: null };
  const perMinute = (facts.get(step.setting)?.hits ?? 0) / (WATCHED_MS / 60_000);
  const line = `${whom} got ${perMinute.toFixed(1)} answers a minute over five minutes, ${step.to} allowed.`;
  if (perMinute <= Number(step.to)) return { state: 'shown', line, at: new Date(now.getTime() - WATCHED_MS) };
  // The first five minutes hold answers from before every client had noticed.
  if (watchedMs < WATCHED_MS + CACHE_MS) return { state: 'waiting', line, at: null };
  return { state: 'contradicted', line, at: null };
}

function ofDisclaimer(step: Step, { facts }: LiveTraffic): Finding {
  const { n, hits } = facts.get(step.setting) ?? { n: 0, hits: 0 };
  if (n < OUTPUTS)
    return { state: 'waiting', line: `Waiting for outputs to look at: ${n}/${OUTPUTS}.`, at: null };
  const line = `${hits} of ${n} outputs carry the disclaimer.`;
  const isSo = step.to === null ? hits === 0 : hits === n;
  return isSo ? { state: 'shown', line, at: null } : { state: 'contradicted', line, at: null };
}

function none(step: Step, { facts }: LiveTraffic, of: { atLeast: number; what: string }): Finding {
  const { n, hits } = facts.get(step.setting) ?? { n: 0, hits: 0 };
  if (hits > 0) return { state: 'contradicted', line: `${hits} of ${n} outputs were ${of.what}.`, at: null };
  if (n < of.atLeast)
    return { state: 'waiting', line: `Waiting for outputs to look at: ${n}/${of.atLeast}.`, at: null };
  return { state: 'shown', line: `None of ${n} outputs was ${of.what}.`, at: null };
}
