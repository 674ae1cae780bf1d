import type { Db } from '../../db/database.ts';
import type { Plan, Step } from '../../mitigation/plan.ts';
import { isArm } from '../../mitigation/proof-table.ts';
import { isWanted } from '../../mitigation/served-proof.ts';
import { kindOf, subjectOf } from '../../mitigation/serving.ts';
import type { CallWindow } from '../../sources/call-statistics-store.ts';
import { callsBy } from '../../sources/effect-store.ts';
import { type VariantTotals, variantsIn } from '../../sources/variant-store.ts';

/** The traffic of the last hour. */
export interface LastHour {
  window: CallWindow;
  variants: VariantTotals[];
  calls: number;
}

/** Fewer calls of known cost than this say nothing of the next ones. */
const MIN_PRICED = 30;
const HISTORY_MS = 7 * 24 * 60 * 60_000;

/**
 * What the change costs or saves in an hour of this traffic, from what calls cost that were served before and as wanted in the
 * last 7 days; null where too few of either have a known cost.
 */
export async function costChange(
  db: Db,
  { steps, shift }: Pick<Plan, 'steps' | 'shift'>,
  hour: LastHour,
): Promise<string | null> {
  const [only, ...more] = steps;
  if (only !== undefined && more.length === 0) {
    const kind = kindOf(only.setting);
    if (kind === 'limit') return ofLimit(db, only, hour);
    if (kind === 'enabled' && only.to === false) return ofEverything(hour);
    if (kind === 'split') {
      const share = (Number(only.to) - Number(only.from)) / 100;
      const arm = subjectOf((shift ?? only).setting) ?? '';
      return ofVariants(db, hour, { isNew: (variant) => isArm(arm, variant), share });
    }
  }
  if (!steps.every(({ setting }) => ['prompt', 'model'].includes(kindOf(setting)))) return null;
  return ofVariants(db, hour, { isNew: (variant) => isWanted(steps, variant), share: 1 });
}

interface Priced {
  n: number;
  usd: number;
}

function pricedOf(variants: readonly VariantTotals[]): Priced | null {
  const n = variants.reduce((total, { priced }) => total + priced, 0);
  const usd = variants.reduce((total, { costUsd }) => total + costUsd, 0);
  return n < MIN_PRICED ? null : { n, usd: usd / n };
}

/** What is served otherwise now against what it cost as wanted. */
async function ofVariants(
  db: Db,
  { window, variants }: LastHour,
  { isNew, share }: { isNew: (variant: VariantTotals) => boolean; share: number },
): Promise<string | null> {
  const others = variants.filter((variant) => !isNew(variant));
  const now = pricedOf(others);
  if (now === null) return null;
  const from = new Date(window.to.getTime() - HISTORY_MS);
  const then = pricedOf((await variantsIn(db, { ...window, from })).filter(isNew));
  if (then === null) return null;
  const calls = others.reduce((total, { n }) => total + n, 0);
  const each = `${money(now.usd)} → ${money(then.usd)} a call, n = ${now.n} and ${then.n}`;
  return `Cost: ${change((then.usd - now.usd) * calls * share)} an hour at this traffic (${each}).`;
}

function ofEverything({ variants, calls }: LastHour): string | null {
  const now = pricedOf(variants);
  return now === null
    ? null
    : `Cost: ${change(-now.usd * calls)} an hour (${money(now.usd)} a call, n = ${now.n}).`;
}

/** The calls above the limit, if they go on as in the last hour. */
async function ofLimit(db: Db, { setting, to }: Step, { window }: LastHour): Promise<string | null> {
  const subject = subjectOf(setting) ?? '';
  if (to === null || subject.startsWith('each ')) return null;
  const { hits, priced, costUsd } = await callsBy(db, { ...window, subject });
  const above = hits - Number(to) * 60;
  if (priced < MIN_PRICED || above <= 0) return null;
  const each = costUsd / priced;
  return `Cost: ${change(-above * each)} an hour at this traffic (${money(each)} a call, n = ${priced}).`;
}

function change(usd: number): string {
  return `about ${usd < 0 ? '−' : '+'}${money(Math.abs(usd))}`;
}

const money = (usd: number) => `$${usd >= 0.1 ? usd.toFixed(2) : Number(usd.toPrecision(2))}`;
