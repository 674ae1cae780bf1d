import { isFreer } from './freer.ts';
import type { Wanted } from './plan.ts';
import { kindOf, subjectOf, type TargetState, valueIn } from './serving.ts';

/**
 * Whether it only takes something from users, measured by what is served now: switched off, held back, or less of it.
 * Policy: another version or model, other shares of the traffic and another text are changes, and take nothing away.
 */
export function tightens(wanted: Wanted, state: TargetState): boolean {
  const step = { ...wanted, from: valueIn(state, wanted.setting) };
  return restricts(wanted) && !isFreer(step, NOTHING_HELD, state);
}

const NOTHING_HELD = { own: [], others: [], isKnownGood: false, isForeign: false };

function restricts({ setting, to }: Wanted): boolean {
  switch (kindOf(setting)) {
    case 'enabled':
    case 'type':
      return to === false;
    case 'blocked':
      return to === true;
    case 'fallback':
      return to !== 'none';
    case 'limit':
    case 'token-cap':
      return to !== null;
    default:
      return false;
  }
}

/** The setting that limits everybody who has no limit by name: "limit:user u-1" → "limit:each user". */
export function everybodyOf(setting: string): string | null {
  const [, kind] =
    /^(user|session) /.exec(kindOf(setting) === 'limit' ? (subjectOf(setting) ?? '') : '') ?? [];
  return kind === undefined ? null : `limit:each ${kind}`;
}
