import { countsOf, lackOf } from '../compare/readings.ts';
import { type Judgement, NOTHING_SEEN, type Seen, unjudged, verdictOf } from '../judgement.ts';
import { isRisen, OWN_MULTIPLE, type Suspect, suspectsOf } from '../offender.ts';
import type { Readings, Rule } from '../rule.ts';
import { ESCALATES, shipped, windowAndBaseline } from '../shipped.ts';

type Names = 'window' | 'baseline';
type Settings = Rule['defaults'];

/**
 * Policy: fires when one user or endpoint took more than half of the tokens of the last 15 minutes, that is more than 3
 * times its own baseline against all others, and its share rose by 10 points or more, from at least 30 calls against 200; past its
 * bound when the one-sided 95 % bounds say so.
 */
export const costShare: Rule<Names> = {
  id: 'cost.share',
  warning: false,
  metric: 'Share of one user or endpoint',
  title: 'One user or endpoint takes most of the tokens',
  policy:
    'one user or endpoint took more than the threshold of all tokens, above 3 × its own baseline against all others',
  unit: 'share',
  neutral: 0,
  defaults: shipped({
    threshold: 0.5,
    clear_threshold: 0.4,
    window_minutes: 15,
    min_samples: 30,
    min_baseline: 200,
    ...ESCALATES.cost,
  }),
  asks: (settings) => windowAndBaseline('offender', settings),
  judge: (readings, settings) => verdictOf('cost.share', judge(readings, settings)),
};

function judge({ window, baseline }: Readings<Names>, settings: Settings): Judgement {
  const seen: Seen = {
    ...NOTHING_SEEN,
    ...countsOf({ window, baseline }),
    value: window?.value ?? null,
    threshold: settings.threshold,
  };
  const lack = lackOf({ window, baseline }, settings);
  if (lack !== null || window === null || baseline === null) return unjudged(lack ?? 'no-data', seen);
  const suspects = suspectsOf({ window, baseline });
  if (suspects.length === 0) {
    return unjudged('insufficient', { ...seen, detail: 'users and endpoints have no baseline of their own' });
  }
  const isPast = (limit: number) => (one: Suspect) => one.share > limit && isRisen(one);
  const worst = culpritOf(worstOf(suspects.filter(isPast(settings.threshold))), suspects);
  if (worst === null) {
    const isClear = !suspects.some(isPast(settings.clear_threshold));
    return { ...seen, value: usual(suspects), state: 'ok', pastBound: false, unmistakable: false, isClear };
  }
  return {
    ...seen,
    value: worst.share,
    lower: worst.shareLower,
    detail: sentence(worst),
    state: 'firing',
    pastBound: worst.shareLower > settings.threshold && worst.multipleLower > OWN_MULTIPLE,
    unmistakable: false,
    isClear: false,
  };
}

/** Where nobody stands out: the largest share of a user, for the only endpoint has all of it on every day. */
function usual(suspects: readonly Suspect[]): number {
  const users = suspects.filter((one) => one.name.startsWith('user '));
  return Math.max(...(users.length > 0 ? users : suspects).map(({ share }) => share));
}

/** Behind an endpoint that takes most there is often a user who does: then that one is named. */
function culpritOf(worst: Suspect | null, suspects: readonly Suspect[]): Suspect | null {
  if (worst === null || worst.name.startsWith('user ')) return worst;
  const user = worstOf(suspects.filter((one) => one.name.startsWith('user ') && isRisen(one)));
  return user !== null && user.share > worst.share / 2 ? user : worst;
}

/** A user explains more than the endpoint that they call, so of the two with the same multiple the user is named. */
function worstOf(suspects: readonly Suspect[]): Suspect | null {
  return suspects.reduce<Suspect | null>(
    (worst, one) =>
      worst === null || one.multiple > worst.multiple || isUserInstead(one, worst) ? one : worst,
    null,
  );
}

const isUserInstead = (one: Suspect, worst: Suspect) =>
  one.multiple === worst.multiple && one.name.startsWith('user ') && !worst.name.startsWith('user ');

function sentence({ name, multiple }: Suspect): string {
  return Number.isFinite(multiple)
    ? `${name}, at ${multiple.toFixed(1)} × its own baseline`
    : `${name}, not seen in the baseline`;
}
