import type { RuleVerdict } from './rule.ts';

/** What a rule has been saying, and since when. */
export interface Signal {
  state: RuleVerdict['state'];
  since: Date;
  /** Since when the bound has been past the threshold without a break; null when it is not. */
  pastBoundSince: Date | null;
}

export interface NextSignal extends Signal {
  /** It fires now and did not before. */
  opened: boolean;
  /** It fired before and is ok now. */
  cleared: boolean;
}

/**
 * Policy: a firing signal is cleared by an ok verdict alone. Missing or scarce data neither clears it nor
 * stops or starts the time past the bound: a broken scorer must not silence a page.
 */
export function nextSignal(previous: Signal | null, verdict: RuleVerdict, now: Date): NextSignal {
  const wasFiring = previous?.state === 'firing';
  const isBlind = verdict.state === 'insufficient' || verdict.state === 'no-data';
  if (wasFiring && isBlind) return { ...signalOf(previous), opened: false, cleared: false };
  const isSame = previous?.state === verdict.state;
  return {
    state: verdict.state,
    since: isSame ? previous.since : now,
    pastBoundSince: verdict.pastBound ? (previous?.pastBoundSince ?? now) : null,
    opened: verdict.state === 'firing' && !wasFiring,
    cleared: wasFiring && verdict.state === 'ok',
  };
}

/** True when the bound has been past the threshold for `forMs` or longer. */
export function stillPastBound(signal: Signal, now: Date, forMs: number): boolean {
  return signal.pastBoundSince !== null && now.getTime() - signal.pastBoundSince.getTime() >= forMs;
}

function signalOf({ state, since, pastBoundSince }: Signal): Signal {
  return { state, since, pastBoundSince };
}
