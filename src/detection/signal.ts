import type { RuleSettings } from '../config/rules.ts';
import type { RuleVerdict } from './rule.ts';

export type SignalState = 'ok' | 'pending' | 'firing' | 'recovering' | 'no-data' | 'insufficient';

/** What a rule has been saying, and since when. */
export interface Signal {
  state: SignalState;
  /** Since when; of an episode (firing or recovering) its beginning. */
  since: Date;
  /** Since when the bound has been past the threshold without a break; null when it is not. */
  pastBoundSince: Date | null;
  /** The newest polls with data, oldest first: 1 past the threshold, 0 not. */
  recent: string;
  /** Since when it has been past the threshold without a break. */
  pastSince: Date | null;
  /** Since when it has been clear of the closing threshold without a break; null when it is not. */
  quietSince: Date | null;
  /** End of the last episode. */
  closedAt: Date | null;
}

export interface NextSignal extends Signal {
  /** An episode begins now. */
  opened: boolean;
  /** An episode ends now. */
  cleared: boolean;
  /** It opened within the cooldown after the last episode: the same trouble again. */
  inCooldown: boolean;
}

export type SignalSettings = Pick<
  RuleSettings,
  'open_polls' | 'open_of_polls' | 'for_minutes' | 'quiet_minutes' | 'cooldown_minutes'
>;

interface At {
  settings: SignalSettings;
  now: Date;
}

const NEW: Omit<Signal, 'state' | 'since'> = {
  pastBoundSince: null,
  recent: '',
  pastSince: null,
  quietSince: null,
  closedAt: null,
};
const NO_CHANGE = { opened: false, cleared: false, inCooldown: false };

/**
 * Policy: a signal opens when `open_polls` of the newest `open_of_polls` polls were past the threshold, or one was so
 * unmistakably, and it has been past it for `for_minutes`. It closes when it has been clear of the closing threshold
 * for `quiet_minutes`; a clear verdict stands until the next one, however late that comes. Between the two thresholds
 * it stays what it was. Missing or scarce data neither clears it nor stops or starts the time past the bound: a broken
 * scorer must not silence a page.
 */
export function nextSignal(previous: Signal | null, verdict: RuleVerdict, at: At): NextSignal {
  const before: Signal = previous === null ? { ...NEW, state: 'ok', since: at.now } : signalOf(previous);
  const isBlind = verdict.state === 'insufficient' || verdict.state === 'no-data';
  if (isBlind && !(isEpisode(before) && verdict.isClear)) {
    return { ...blind(before, verdict.state as 'insufficient' | 'no-data', at), ...NO_CHANGE };
  }
  const quietSince = before.quietSince ?? (verdict.isClear ? at.now : null);
  if (
    isEpisode(before) &&
    quietSince !== null &&
    minutesFrom(quietSince, at.now) >= at.settings.quiet_minutes
  ) {
    const closed: Signal = { ...NEW, state: 'ok', since: at.now, quietSince, closedAt: at.now };
    return { ...nextSignal(closed, verdict, at), cleared: true };
  }
  const isPast = verdict.state === 'firing';
  const seen: Signal = {
    ...before,
    recent: `${before.recent}${isPast ? '1' : '0'}`.slice(-at.settings.open_of_polls),
    pastSince: isPast ? (before.pastSince ?? at.now) : null,
    pastBoundSince: verdict.pastBound ? (before.pastBoundSince ?? at.now) : null,
    quietSince: verdict.isClear ? quietSince : null,
  };
  if (isEpisode(before)) return { ...NO_CHANGE, ...inEpisode(seen, verdict) };
  if (isPast && opens(seen, verdict, at)) {
    const inCooldown = isWithin(before.closedAt, at.settings.cooldown_minutes, at.now);
    return { ...seen, state: 'firing', since: at.now, opened: true, cleared: false, inCooldown };
  }
  return { ...moved(seen, isPast ? 'pending' : 'ok', at.now), ...NO_CHANGE };
}

/** True when the bound has been past the threshold for `forMs` or longer. */
export function stillPastBound(signal: Pick<Signal, 'pastBoundSince'>, now: Date, forMs: number): boolean {
  return signal.pastBoundSince !== null && now.getTime() - signal.pastBoundSince.getTime() >= forMs;
}

/** True between an opening and its clearing. */
export function isEpisode({ state }: Pick<Signal, 'state'>): boolean {
  return state === 'firing' || state === 'recovering';
}

/**
 * Policy: blindness leaves an episode as it is. Outside one, polls from before a blindness that lasts longer than the
 * quiet time count no more.
 */
function blind(before: Signal, state: 'insufficient' | 'no-data', { settings, now }: At): Signal {
  if (isEpisode(before)) return before;
  const wasBlind = before.state === 'insufficient' || before.state === 'no-data';
  const isStale = wasBlind && !isWithin(before.since, settings.quiet_minutes, now);
  const kept = isStale ? { ...before, recent: '', pastSince: null, pastBoundSince: null } : before;
  return moved({ ...kept, quietSince: null }, state, now);
}

function inEpisode(seen: Signal, verdict: RuleVerdict): Signal {
  if (verdict.state === 'firing') return { ...seen, state: 'firing' };
  return verdict.isClear ? { ...seen, state: 'recovering' } : seen;
}

function opens(seen: Signal, { unmistakable }: RuleVerdict, { settings, now }: At): boolean {
  const past = seen.recent.replaceAll('0', '').length;
  const isOften = past >= Math.min(settings.open_polls, settings.open_of_polls);
  const isLong = seen.pastSince !== null && minutesFrom(seen.pastSince, now) >= settings.for_minutes;
  return (isOften || unmistakable) && isLong;
}

/** The time of a state begins when the state does. */
function moved(signal: Signal, state: SignalState, now: Date): Signal {
  return { ...signal, state, since: signal.state === state ? signal.since : now };
}

function isWithin(since: Date | null, minutes: number, now: Date): boolean {
  return since !== null && minutesFrom(since, now) < minutes;
}

const minutesFrom = (from: Date, to: Date) => (to.getTime() - from.getTime()) / 60_000;

function signalOf({ state, since, pastBoundSince, recent, pastSince, quietSince, closedAt }: Signal): Signal {
  return { state, since, pastBoundSince, recent, pastSince, quietSince, closedAt };
}
