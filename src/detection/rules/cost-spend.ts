import type { Reading } from '../../sources/metric-source.ts';
import { bothAbove } from '../compare/levels.ts';
import { verdictOf } from '../judgement.ts';
import { isRisen, suspectsOf } from '../offender.ts';
import type { Rule } from '../rule.ts';
import { baselineOf, ESCALATES, lastMinutes, shipped } from '../shipped.ts';

/** The fast window is this part of the slow one. */
const FAST_PART = 1 / 3;
/** Of all tokens: who took more is the one to look at. */
const MOST = 0.5;

/**
 * Policy: fires when what is spent, projected to an hour, is above $50 over the last 5 and over the last 15 minutes:
 * the long window keeps a burst from firing, the short one ends it when the burst has ended. Money is counted, not
 * sampled, so past the threshold is past the bound. It names the user who took more than half of the tokens; an endpoint
 * only when its share rose as well, because the only one takes all of them on every day.
 */
export const costSpend: Rule<'fast' | 'slow' | 'offender' | 'before'> = {
  id: 'cost.spend',
  warning: false,
  metric: 'Spend',
  title: 'Spend is above its limit',
  policy: 'spend projected to an hour is above the threshold in the window and in its last third',
  unit: 'usd/hour',
  neutral: 0,
  defaults: shipped({ threshold: 50, clear_threshold: 45, window_minutes: 15, ...ESCALATES.spend }),
  asks: ({ window_minutes }) => ({
    fast: lastMinutes('spend', window_minutes * FAST_PART),
    slow: lastMinutes('spend', window_minutes),
    offender: lastMinutes('offender', window_minutes),
    before: baselineOf('offender', window_minutes),
  }),
  judge: ({ fast, slow, offender, before }, settings) => {
    const judgement = bothAbove([fast, slow], settings);
    return verdictOf('cost.spend', { ...judgement, detail: judgement.detail ?? nameOf(offender, before) });
  },
};

function nameOf(offender: Reading | null, before: Reading | null): string | null {
  const { value, about, parts = {} } = offender ?? { value: null };
  if (offender === null || value === null || about === undefined || value <= MOST) return null;
  if (about.startsWith('user ')) return about;
  const all = (parts[about]?.tokens ?? 0) / value;
  const user = Object.keys(parts).find(
    (name) => name.startsWith('user ') && (parts[name]?.tokens ?? 0) > MOST * all,
  );
  if (user !== undefined) return user;
  const suspects = before === null ? [] : suspectsOf({ window: offender, baseline: before });
  return suspects.some((one) => one.name === about && isRisen(one)) ? about : null;
}
