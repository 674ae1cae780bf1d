import type { Db } from '../../db/database.ts';
import type { Plan } from '../../mitigation/plan.ts';
import { isArm } from '../../mitigation/proof-table.ts';
import { subjectOf } from '../../mitigation/serving.ts';
import { splitGroup } from '../../mitigation/serving-change.ts';
import type { Arms, ArmTotals } from '../../mitigation/shift-gate.ts';
import { type VariantTotals, variantsIn } from '../../sources/variant-store.ts';

/**
 * What both arms did over the same time: from when the later of the two was first seen, since `since`, until now. Calls of
 * other prompts than the one that is shifted belong to neither.
 */
export async function armsSince(
  db: Db,
  { plan, since, now }: { plan: Plan; since: Date; now: Date },
): Promise<Arms> {
  const { service, environment, shift } = plan;
  const arm = subjectOf(shift?.setting ?? '') ?? '';
  const window = { service, environment, to: now };
  const seen = divided(arm, await variantsIn(db, { ...window, from: since }));
  const from = laterOf(firstOf(seen.fresh), firstOf(seen.old));
  if (from === null || from.getTime() === since.getTime()) return totalsOf(seen);
  return totalsOf(divided(arm, await variantsIn(db, { ...window, from })));
}

interface Divided {
  fresh: VariantTotals[];
  old: VariantTotals[];
}

function divided(arm: string, variants: readonly VariantTotals[]): Divided {
  const prompt = splitGroup(arm);
  const concerned = variants.filter(
    ({ promptName }) => prompt === null || promptName === null || promptName === prompt,
  );
  return {
    fresh: concerned.filter((variant) => isArm(arm, variant)),
    old: concerned.filter((variant) => !isArm(arm, variant)),
  };
}

function firstOf(variants: readonly VariantTotals[]): Date | null {
  const times = variants.map(({ firstAt }) => firstAt.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}

function laterOf(a: Date | null, b: Date | null): Date | null {
  return a === null || b === null ? null : a > b ? a : b;
}

const totalsOf = ({ fresh, old }: Divided): Arms => ({ fresh: sumOf(fresh), old: sumOf(old) });

const COUNTED = ['n', 'errors', 'formatted', 'formatPassed', 'scored', 'scoreSum', 'scoreSquares'] as const;

function sumOf(variants: readonly VariantTotals[]): ArmTotals {
  const sums = COUNTED.map((key) => [key, variants.reduce((total, variant) => total + variant[key], 0)]);
  return Object.fromEntries(sums) as unknown as ArmTotals;
}
