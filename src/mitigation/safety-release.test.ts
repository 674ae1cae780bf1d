import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from './plan.ts';
import { givesBack, openRoles, type SignOffRole } from './safety-release.ts';
import type { Value } from './serving.ts';

const step = (setting: string, from: Value, to: Value): Step => ({ setting, from, to });
const held = [
  step('enabled', true, false),
  step('prompt:answer', 'v14', 'v13'),
  step('limit:user u-7', null, 5),
  step('split:mini', 50, 0),
];

test.each([
  ['switching on', step('enabled', false, true), true],
  ['letting outputs through', step('blocked:dosage', true, false), true],
  ['the prompt that was taken away', step('prompt:answer', 'v13', 'v14'), true],
  ['lifting the limit', step('limit:user u-7', 5, null), true],
  ['loosening the limit', step('limit:user u-7', 5, 50), true],
  ['traffic that was taken away', step('split:mini', 0, 10), true],
  ['a third prompt version', step('prompt:answer', 'v13', 'v12'), false],
  ['a tighter limit', step('limit:user u-7', 5, 1), false],
  ['another limit', step('limit:user u-8', 5, null), false],
  ['disabling', step('enabled', true, false), false],
])('%s is setting back on, or is not', (_, asked, isBack) => {
  expect(givesBack([asked], held)).toBe(isBack);
});

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
