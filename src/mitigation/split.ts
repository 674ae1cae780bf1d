import { createHash } from 'node:crypto';
import type { Arm } from './serving-change.ts';

/**
 * The arm that a key gets; null is the rest of the traffic.
 * Policy: every arm draws a number for the key, weighted by its percentage, and the smallest wins. So an arm whose
 * percentage rises keeps every key that it has, and each arm's share is its percentage. Without a key, the arm with
 * most of the traffic.
 */
export function chooseArm(arms: readonly Arm[], of: { salt: string; key: string | null }): string | null {
  const given = arms.reduce((total, { percent }) => total + percent, 0);
  const weighted = [
    { subject: null, percent: Math.max(0, 100 - given) },
    ...arms.map(({ subject, percent }) => ({ subject, percent })),
  ].filter(({ percent }) => percent > 0);
  const { key, salt } = of;
  const rank = (arm: { subject: string | null; percent: number }) =>
    key === null ? -arm.percent : draw([salt, arm.subject, key]) / arm.percent;
  const ranked = weighted.map((arm) => ({ subject: arm.subject, rank: rank(arm) }));
  return ranked.reduce((best, arm) => (arm.rank < best.rank ? arm : best)).subject;
}

const BITS = 48;

/** Exponentially distributed, the same for the same parts: the smallest of several such draws falls by weight. */
function draw(parts: readonly (string | null)[]): number {
  const digest = createHash('sha256').update(JSON.stringify(parts), 'utf8').digest();
  return -Math.log((digest.readUIntBE(0, BITS / 8) + 0.5) / 2 ** BITS);
}
