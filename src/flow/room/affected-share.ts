import type { Category } from '../../db/schema.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import type { StratifiedCall, Stratum } from '../../sources/stratified-sample-store.ts';
import type { Flow } from '../flow.ts';

/** Fewer judged calls than this tell no share. */
const MIN_JUDGED = 30;

type Totals = Partial<Record<Stratum, number>>;

/**
 * Which share of the calls since the onset went wrong, from the counts that were frozen at declaration; null where too few
 * were judged. Policy: errors, refusals and broken formats are known of every call; low scores are known of those that
 * were scored, and stand for the others.
 */
export function shareAffected(totals: Totals, category: Category): number | null {
  if (category === 'cost' || category === 'safety') return null;
  const of = (stratum: Stratum) => totals[stratum] ?? 0;
  const known = of('error') + of('format') + of('refusal');
  const scored = of('low score') + of('good') + of('short');
  const rest = scored + of('not judged');
  const all = known + rest;
  if (category === 'outage') return all < MIN_JUDGED ? null : of('error') / all;
  if (known + scored < MIN_JUDGED) return null;
  const low = scored === 0 ? 0 : of('low score') / scored;
  return (known + low * rest) / all;
}

/**
 * "about 38 % of requests"; null where nothing can be said, or nothing went wrong. Policy: in an outage the error rate
 * that fired says it already, and a second share over another time would seem to contradict it.
 */
export async function affectedText(
  flow: Pick<Flow, 'db'>,
  { id, category }: { id: number; category: Category },
): Promise<string | null> {
  if (category === 'outage') return null;
  const { strata } = await evidenceOf(flow.db, id);
  const calls = (strata?.data['calls'] ?? []) as StratifiedCall[];
  const totals: Totals = Object.fromEntries(calls.map(({ stratum, total }) => [stratum, total]));
  const share = shareAffected(totals, category);
  return share === null || share < 0.005 ? null : `about ${Math.round(share * 100)} % of requests`;
}
