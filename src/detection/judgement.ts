import type { RuleSettings } from '../config/rules.ts';
import type { RuleId, RuleVerdict } from './rule.ts';
import { Z_ONE_SIDED_95, Z_ONE_SIDED_999 } from './statistics.ts';

/** What a comparison finds, before it is said in the name of a rule. */
export type Judgement = Omit<RuleVerdict, 'rule' | 'warning'>;

export type Seen = Pick<
  RuleVerdict,
  'value' | 'baseline' | 'n' | 'baselineN' | 'lower' | 'upper' | 'threshold' | 'detail'
>;

/** Where the value stands against any threshold, in the unit of the rule's thresholds. */
export interface Standing {
  isPast(threshold: number): boolean;
  /** The value's one-sided bound at z; absent where nothing is known of it at this z. */
  isPastBound?(threshold: number, z: number): boolean;
  /** False when the bound is known for 95 % only. Default true. */
  knowsEveryZ?: boolean;
}

export const NOTHING_SEEN: Seen = {
  value: null,
  baseline: null,
  n: 0,
  baselineN: 0,
  lower: null,
  upper: null,
  threshold: null,
  detail: null,
};

/** So few samples may close an episode, which takes less proof than to open one. */
const FAINT_SAMPLES = 10;

/**
 * Too few samples to say that anything is wrong. Where what there is lies on the good side of the closing threshold, it
 * may still end an episode.
 */
export function faint(judgement: Judgement): Judgement {
  const isClear = judgement.isClear && judgement.n >= FAINT_SAMPLES;
  return { ...judgement, state: 'insufficient', pastBound: false, unmistakable: false, isClear };
}

/** The value cannot be judged: there is none (`no-data`), or too little of it. */
export function unjudged(state: 'no-data' | 'insufficient', seen: Seen): Judgement {
  return { ...seen, state, pastBound: false, unmistakable: false, isClear: false };
}

/**
 * Policy: past the threshold fires; past it with the one-sided 95 % bound too is past the bound; unmistakable is to be
 * past it with the 99.9 % bound by as much as the closing threshold lies before it, so that a value that hovers at
 * the threshold never is; clear is not to be past the closing threshold.
 */
export function judged(
  seen: Seen,
  { isPast, isPastBound, knowsEveryZ = true }: Standing,
  settings: Pick<RuleSettings, 'threshold' | 'clear_threshold'>,
): Judgement {
  const { threshold, clear_threshold: clearThreshold } = settings;
  const isFiring = isPast(threshold);
  const isBoundPast = (limit: number, z: number) => isFiring && isPastBound?.(limit, z) === true;
  return {
    ...seen,
    state: isFiring ? 'firing' : 'ok',
    pastBound: isBoundPast(threshold, Z_ONE_SIDED_95),
    unmistakable: knowsEveryZ && isBoundPast(2 * threshold - clearThreshold, Z_ONE_SIDED_999),
    isClear: !isFiring && !isPast(clearThreshold),
  };
}

/** A judgement in the name of a rule. Where nothing was called, nothing was spent: for cost, silence is clear. */
export function verdictOf(rule: RuleId, judgement: Judgement): RuleVerdict {
  const isFree = rule.startsWith('cost.') && judgement.state === 'no-data';
  return { rule, warning: false, ...judgement, isClear: judgement.isClear || isFree };
}
