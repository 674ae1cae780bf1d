import jstat from 'jstat';
import type { Part, Reading } from '../../sources/metric-source.ts';
import { countsOf, lackOf } from '../compare/readings.ts';
import { NOTHING_SEEN, type Seen, unjudged } from '../judgement.ts';
import type { Readings, Rule, RuleVerdict } from '../rule.ts';
import { ESCALATES, OPENS, shipped, windowAndBaseline } from '../shipped.ts';

const MINUTE_MS = 60_000;
/** How often chance makes such a minute of one of them. */
const CHANCE = 1e-6;
/** How much one's own share of the traffic moves from minute to minute by itself, relative to it. */
const OWN_SPREAD = 0.2;
/** Who has more than this share of the traffic is the traffic: when it grows, the service does. */
const MOST = 0.5;

type Names = 'window' | 'baseline';

interface Suspect {
  name: string;
  /** Rate over its own baseline's. */
  multiple: number;
  chance: number;
}

/**
 * Policy: warns when one user or endpoint made more than 3 times the calls, or took more than 3 times the tokens, of
 * its own baseline in the last minute, at least 20 calls, and chance, which knows how busy the service was in that
 * minute, gives that once in a million. Who is more than half of the baseline is no suspect; who is not in it is held
 * against the busiest that is.
 */
export const shareWarning: Rule<Names> = {
  id: 'cost.share',
  warning: true,
  metric: 'Rate of one user or endpoint',
  title: 'One user or endpoint is far above its own rate',
  policy: 'one user or endpoint is above threshold × its own baseline rate within the window',
  unit: 'index',
  neutral: 1,
  defaults: shipped({
    threshold: 3,
    clear_threshold: 2,
    window_minutes: 1,
    min_samples: 20,
    min_baseline: 200,
    ...OPENS.atOnce,
    ...ESCALATES.cost,
  }),
  asks: (settings) => windowAndBaseline('offender', settings),
  judge,
};

function judge(readings: Readings<Names>, settings: Rule['defaults']): RuleVerdict {
  const { window, baseline } = readings;
  const seen: Seen = { ...NOTHING_SEEN, ...countsOf(readings), baseline: 1, threshold: settings.threshold };
  const verdict = { rule: 'cost.share', warning: true } as const;
  // A minute with few calls has no offender: that is an answer, not a lack of one.
  const lack = lackOf(readings, { ...settings, min_samples: 1 });
  if (lack !== null || window === null || baseline === null) {
    return { ...verdict, ...unjudged(lack ?? 'no-data', seen) };
  }
  const windows = (baseline.coveredMs ?? 0) / (settings.window_minutes * MINUTE_MS);
  if (!(windows > 0)) return { ...verdict, ...unjudged('insufficient', seen) };
  const suspects = suspectsOf({ window, baseline, windows }).filter(
    ({ name }) => (window.parts?.[name]?.calls ?? 0) >= settings.min_samples,
  );
  const isPast = (limit: number) => (one: Suspect) => one.multiple > limit && one.chance < CHANCE;
  const past = suspects.filter(isPast(settings.threshold)).toSorted((a, b) => a.chance - b.chance);
  // A user explains more than the endpoint that they call.
  const worst = past.find(({ name }) => name.startsWith('user ')) ?? past[0];
  const most = suspects.reduce((highest, { multiple }) => Math.max(highest, multiple), 0);
  return {
    ...verdict,
    ...seen,
    value: worst?.multiple ?? most,
    detail:
      worst === undefined ? null : `${worst.name}, at ${worst.multiple.toFixed(1)} × its own baseline rate`,
    state: worst === undefined ? 'ok' : 'firing',
    pastBound: false,
    unmistakable: false,
    isClear: !suspects.some(isPast(settings.clear_threshold)),
  };
}

/** `windows`: how many windows the baseline covers. */
function suspectsOf(of: { window: Reading; baseline: Reading; windows: number }): Suspect[] {
  const { window, baseline, windows } = of;
  const before = baseline.parts ?? {};
  return Object.entries(window.parts ?? {}).flatMap(([name, part]) => {
    const own = before[name] ?? busiestLike(name, before);
    const isMost = (before[name]?.calls ?? 0) > MOST * baseline.n;
    if (own === null || own.calls === 0 || isMost) return [];
    const expected = expectationOf(own, { baseline, windows, others: window.n - part.calls });
    const byCalls = { seen: part.calls, variance: expected.variance };
    // Tokens of a call spread as much as their mean, so a total of tokens spreads more than one of calls.
    const asCalls = own.tokens > 0 ? (part.tokens * own.calls) / own.tokens : 0;
    const byTokens = { seen: asCalls, variance: expected.variance + expected.mean };
    return [byCalls, byTokens].map(({ seen, variance }) => ({
      name,
      multiple: (seen * windows) / own.calls,
      chance: chanceOfMore({ mean: expected.mean, variance }, seen),
    }));
  });
}

/**
 * Calls of one in this window by chance: as many as go with the calls of the others, or its own mean rate where that is
 * more, since one who goes on while the others rest does nothing new.
 */
function expectationOf(
  own: Part,
  { baseline, windows, others }: { baseline: Reading; windows: number; others: number },
): { mean: number; variance: number } {
  const counted = own.calls + 2 * Math.sqrt(own.calls);
  const rate = counted / windows;
  const share = Math.min(MOST, counted / baseline.n);
  const odds = share / (1 - share);
  const mean = Math.max(rate, odds * others);
  return { mean, variance: mean * (1 + odds + OWN_SPREAD ** 2 * mean) };
}

/** Negative binomial: at least `seen` where mean and variance are these. */
function chanceOfMore({ mean, variance }: { mean: number; variance: number }, seen: number): number {
  const excess = Math.max(variance / mean - 1, 0.01);
  return jstat.beta.cdf(excess / (1 + excess), seen, mean / excess);
}

function busiestLike(name: string, parts: Readonly<Record<string, Part>>): Part | null {
  const kind = name.slice(0, name.indexOf(' ') + 1);
  return Object.entries(parts)
    .filter(([other]) => other.startsWith(kind))
    .reduce<Part | null>((most, [, part]) => (most === null || part.calls > most.calls ? part : most), null);
}
