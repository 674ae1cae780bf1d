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
  /** Its token rate over its own baseline's; infinite for one that had none. */
  multiple: number;
  multipleLower: number;
}

/**
 * Every named user and endpoint of the window. The bounds take calls as random arrivals whose tokens spread as much as
 * their mean (a compound Poisson process; recorded traffic comes near to it), so the logarithm of a ratio of two
 * token totals has the variance 2 (1/calls + 1/calls). Empty when a total cannot be told.
 */
export function suspectsOf(readings: { window: Reading; baseline: Reading; windowMs: number }): Suspect[] {
  const { window, baseline, windowMs } = readings;
  const parts = window.parts ?? {};
  const busiest = window.about === undefined ? undefined : parts[window.about];
  const { coveredMs } = baseline;
  if (busiest === undefined || window.value === null || window.value <= 0 || coveredMs === undefined)
    return [];
  const allTokens = busiest.tokens / window.value;
  if (!(allTokens > 0)) return [];
  const baselineParts = baseline.parts ?? {};
  const ownShare = shareBefore(baseline);
  return Object.entries(parts)
    .filter(([, part]) => part.calls > 0)
    .map(([name, part]) => ({
      name,
      ...shareOf(part, { allTokens, allCalls: window.n }),
      shareRisen: part.tokens / allTokens - ownShare(baselineParts[name]),
      ...multipleOf(part, baselineParts[name], windowMs / coveredMs),
    }));
}

/** One's share of the baseline's tokens; 0 for who was not there, or where the total cannot be told. */
function shareBefore({ parts = {}, about, value }: Reading): (part: Part | undefined) => number {
  const busiest = about === undefined ? undefined : parts[about];
  if (busiest === undefined || value === null || value <= 0 || busiest.tokens <= 0) return () => 0;
  const allTokens = busiest.tokens / value;
  return (part) => (part?.tokens ?? 0) / allTokens;
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

/** Who was not there before is bounded as if half a call had been. `windowPart`: the window's time over the baseline's. */
function multipleOf(
  part: Part,
  before: Part | undefined,
  windowPart: number,
): Pick<Suspect, 'multiple' | 'multipleLower'> {
  const isKnown = before !== undefined && before.tokens > 0 && before.calls > 0;
  const base = isKnown ? before : { calls: 0.5, tokens: (0.5 * part.tokens) / part.calls };
  const multiple = part.tokens / base.tokens / windowPart;
  return {
    multiple: isKnown ? multiple : Number.POSITIVE_INFINITY,
    multipleLower: multiple * atLeast(part.calls, base.calls),
  };
}

/** What the ratio of two totals keeps of its value at its lower bound. */
function atLeast(calls: number, otherCalls: number): number {
  return Math.exp(-Z_ONE_SIDED_95 * Math.sqrt(2 * (1 / calls + 1 / otherCalls)));
}
