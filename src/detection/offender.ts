import type { Part, Reading } from '../sources/metric-source.ts';
import { Z_ONE_SIDED_95 } from './statistics.ts';

/** One user or endpoint, in the window and before it. */
export interface Suspect {
  /** "user NAME" or "endpoint NAME". */
  name: string;
  /** Of all tokens in the window, 0..1. */
  share: number;
  /** One-sided 95 % lower bound of the share. */
  shareLower: number;
  /** How much more of all tokens that is than in the baseline, in points. */
  shareRisen: number;
  /**
   * Its tokens against those of all others, over the same of its own baseline: at night and in a rush alike. Infinite
   * for one that had none.
   */
  multiple: number;
  multipleLower: number;
}

/** How far above its own baseline, against all others, an offender must be: one that is always large is no incident. */
export const OWN_MULTIPLE = 3;
/** How many points more of all tokens than before: where all grew, nobody is the offender. */
const LEAST_RISE = 0.1;
/** And its one-sided 95 % bound is past this, so that it is not chance. */
const CHANCE_MULTIPLE = 1.5;

export const isRisen = (one: Suspect) =>
  one.multiple > OWN_MULTIPLE && one.multipleLower > CHANCE_MULTIPLE && one.shareRisen >= LEAST_RISE;

/**
 * Every named user and endpoint of the window. The bounds take calls as random arrivals whose tokens spread as much as
 * their mean (a compound Poisson process; recorded traffic comes near to it), so the logarithm of a ratio of two
 * token totals has the variance 2 (1/calls + 1/calls). Empty when a total cannot be told.
 */
export function suspectsOf(readings: { window: Reading; baseline: Reading }): Suspect[] {
  const { window, baseline } = readings;
  const parts = window.parts ?? {};
  const busiest = window.about === undefined ? undefined : parts[window.about];
  const baselineTokens = allTokensOf(baseline);
  if (busiest === undefined || window.value === null || window.value <= 0 || baselineTokens === null)
    return [];
  const allTokens = busiest.tokens / window.value;
  if (!(allTokens > 0)) return [];
  const baselineParts = baseline.parts ?? {};
  return Object.entries(parts)
    .filter(([, part]) => part.calls > 0)
    .map(([name, part]) => ({
      name,
      ...shareOf(part, { allTokens, allCalls: window.n }),
      shareRisen:
        (part.tokens - (baselineParts[name]?.tokens ?? 0) * (allTokens / baselineTokens)) / allTokens,
      ...multipleOf(part, baselineParts[name], {
        others: { calls: window.n - part.calls, tokens: allTokens - part.tokens },
        before: { calls: baseline.n, tokens: baselineTokens },
      }),
    }));
}

/** Null where the total cannot be told. */
function allTokensOf({ parts = {}, about, value }: Reading): number | null {
  const busiest = about === undefined ? undefined : parts[about];
  const isKnown = busiest !== undefined && value !== null && value > 0 && busiest.tokens > 0;
  return isKnown ? busiest.tokens / value : null;
}

/** Half a call is added on both sides, so that one who took everything has a bound as well. */
function shareOf(
  { calls, tokens }: Part,
  { allTokens, allCalls }: { allTokens: number; allCalls: number },
): Pick<Suspect, 'share' | 'shareLower'> {
  const share = Math.min(1, tokens / allTokens);
  const others = Math.max(0, allCalls - calls);
  const half = 0.5 / Math.max(allCalls, 1);
  const odds = ((share + half) / (1 - share + half)) * atLeast(calls + 0.5, others + 0.5);
  return { share, shareLower: Math.min(share, odds / (1 + odds)) };
}

/** Who was not there before is bounded as if half a call had been. `before` is all of the baseline. */
function multipleOf(
  part: Part,
  own: Part | undefined,
  { others, before }: { others: Part; before: Part },
): Pick<Suspect, 'multiple' | 'multipleLower'> {
  const perCall = part.tokens / part.calls;
  const isKnown = own !== undefined && own.tokens > 0 && own.calls > 0;
  const base = isKnown ? own : { calls: 0.5, tokens: 0.5 * perCall };
  // Half a call on every side keeps the ratio finite for one who is, or was, all of the traffic.
  const against = (one: Part, rest: Part) =>
    (one.tokens + 0.5 * perCall) / (Math.max(0, rest.tokens) + 0.5 * perCall);
  const rest = { calls: before.calls - base.calls, tokens: before.tokens - base.tokens };
  const multiple = against(part, others) / against(base, rest);
  const sides = [part.calls, others.calls, base.calls, rest.calls].map((calls) => Math.max(calls, 0) + 0.5);
  const variance = sides.reduce((sum, calls) => sum + 2 / calls, 0);
  return {
    multiple: isKnown ? multiple : Number.POSITIVE_INFINITY,
    multipleLower: multiple * Math.exp(-Z_ONE_SIDED_95 * Math.sqrt(variance)),
  };
}

/** What the ratio of two totals keeps of its value at its lower bound. */
function atLeast(calls: number, otherCalls: number): number {
  return Math.exp(-Z_ONE_SIDED_95 * Math.sqrt(2 * (1 / calls + 1 / otherCalls)));
}
