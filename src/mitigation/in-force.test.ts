import { expect, test } from 'vitest';
import { effectOn, leavesNothing } from './in-force.ts';
import type { Step } from './plan.ts';
import type { Value } from './serving.ts';

const step = (setting: string, from: Value, to: Value): Step => ({ setting, from, to });
const later = (steps: Step[], kind: 'named' | 'undo' = 'named') => ({
  steps,
  wish: { kind, undoes: kind === 'undo' ? 1 : null },
});
const off = step('enabled', true, false);
const on = step('enabled', false, true);
const cached = step('fallback', 'none', 'cached');
const notice = step('fallback', 'cached', 'notice');
const older = step('prompt:answer', 'v14', 'v13');

const CASES: { name: string; earlier: Step[]; plan: ReturnType<typeof later>; effect: string }[] = [
  { name: 'giving back what was set takes it back', earlier: [off], plan: later([on]), effect: 'taken-back' },
  {
    name: 'an undo takes it back whatever it sets',
    earlier: [notice],
    plan: later([step('fallback', 'notice', 'none')], 'undo'),
    effect: 'taken-back',
  },
  {
    name: 'ending a fallback takes back one that lay over another',
    earlier: [notice],
    plan: later([step('fallback', 'notice', 'none')]),
    effect: 'taken-back',
  },
  { name: 'another value lies over it', earlier: [cached], plan: later([notice]), effect: 'replaced' },
  {
    name: 'an undo of what lay over it leaves it on',
    earlier: [cached],
    plan: later([step('fallback', 'notice', 'cached')], 'undo'),
    effect: 'none',
  },
  { name: 'what changes only a part leaves it on', earlier: [off, older], plan: later([on]), effect: 'none' },
  {
    name: 'a prompt without a name is the one that has one',
    earlier: [step('prompt:answer', 'v14', 'v13')],
    plan: later([step('prompt', 'v13', 'v14')]),
    effect: 'taken-back',
  },
  { name: 'what changes something else leaves it on', earlier: [off], plan: later([older]), effect: 'none' },
];

test.each(CASES)('$name', ({ earlier, plan, effect }) => {
  expect(effectOn(earlier, plan)).toBe(effect);
});

test.each([
  [later([on]), true],
  [later([step('limit:user u-7', 5, null)]), true],
  [later([step('split:mini', 50, 0)]), false],
  [later([off], 'undo'), true],
  [later([off]), false],
  [later([on, older]), false],
  [later([step('split:mini', 0, 10)]), false],
])('plan %# leaves nothing in force or something', (plan, nothing) => {
  expect(leavesNothing(plan)).toBe(nothing);
});
