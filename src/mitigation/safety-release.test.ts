import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openRoles, type SignOffRole } from './safety-release.ts';

const roles = (...list: [SignOffRole, string[]][]) => list.map(([role, people]) => ({ role, people }));

test('a person counts once, even with two roles', () => {
  const needed = roles(['owner', ['U1']], ['legal', ['U1', 'U2']]);
  expect(openRoles(needed, [])).toEqual(['owner', 'legal']);
  expect(openRoles(needed, ['U1'])).toEqual(['legal']);
  expect(openRoles(needed, ['U1', 'U1'])).toEqual(['legal']);
  expect(openRoles(needed, ['U2', 'U1'])).toEqual([]);
  expect(openRoles(needed, ['U9'])).toEqual(['owner', 'legal']);
  expect(openRoles(roles(['owner', []]), ['U1'])).toEqual(['owner']);
});

test('as few roles stay open as the signers allow', () => {
  const person = fc.constantFrom('A', 'B', 'C', 'D');
  const holders = fc.array(fc.uniqueArray(person), { maxLength: 4 });
  fc.assert(
    fc.property(holders, fc.uniqueArray(person), (people, signers) => {
      const needed = people.map((list) => ({ role: 'legal' as const, people: list }));
      expect(openRoles(needed, signers).length).toBe(people.length - mostFilled(people, signers));
    }),
  );
});

/** By trying every assignment. */
function mostFilled([first, ...rest]: string[][], signers: string[]): number {
  if (first === undefined) return 0;
  const without = mostFilled(rest, signers);
  const taken = signers.filter((one) => first.includes(one));
  return Math.max(
    without,
    ...taken.map(
      (one) =>
        1 +
        mostFilled(
          rest,
          signers.filter((s) => s !== one),
        ),
    ),
  );
}
