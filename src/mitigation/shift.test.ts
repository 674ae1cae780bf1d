import { expect, test } from 'vitest';
import type { Shift, Step } from './plan.ts';
import {
  aloneWith,
  describePlan,
  premisesOf,
  shiftProblem,
  stagesFrom,
  stepsOfStage,
  undoOfPlan,
} from './shift.ts';

const gate = { margin: 0.05, minCalls: 100, minutes: 30 };
const shift = (changes: Partial<Shift> = {}): Shift => ({
  setting: 'split:m-2',
  from: 0,
  stages: [10, 25, 50, 100],
  gate,
  ...changes,
});
const ALONE: Step[] = [{ setting: 'model', from: 'm-1', to: 'm-2' }];
const SPLIT: Step[] = [{ setting: 'split:m-2', from: 0, to: 100 }];

test('an-arm-alone-is-a-model-or-a-version-of-a-prompt', () => {
  expect(aloneWith('m-2')).toEqual({ setting: 'model', to: 'm-2' });
  expect(aloneWith('answer=v13')).toEqual({ setting: 'prompt:answer', to: 'v13' });
});

test('stages-begin-above-what-the-arm-has-and-end-with-all', () => {
  expect(stagesFrom(0, [10, 25, 50, 100], false)).toEqual([10, 25, 50, 100]);
  expect(stagesFrom(25, [10, 25, 50, 100], false)).toEqual([50, 100]);
  expect(stagesFrom(0, [5, 20], false)).toEqual([5, 20, 100]);
  expect(stagesFrom(0, [10, 25, 50, 100], true)).toEqual([100]);
});

test('the-last-stage-serves-the-arm-alone-before-its-split-ends', () => {
  const plan = { shift: shift(), steps: ALONE };
  expect(stepsOfStage(plan, { from: 10, to: 25 })).toEqual([{ setting: 'split:m-2', from: 10, to: 25 }]);
  expect(stepsOfStage(plan, { from: 50, to: 100 })).toEqual([
    ...ALONE,
    { setting: 'split:m-2', from: 50, to: 0 },
  ]);
  expect(stepsOfStage(plan, { from: 0, to: 100 })).toEqual(ALONE);
  expect(stepsOfStage({ shift: shift(), steps: SPLIT }, { from: 50, to: 100 })).toEqual([
    { setting: 'split:m-2', from: 50, to: 100 },
  ]);
});

test('what-the-arm-had-is-a-premise-as-well-as-what-is-served', () => {
  expect(premisesOf({ shift: shift({ from: 5 }), steps: ALONE })).toEqual([
    ...ALONE,
    { setting: 'split:m-2', from: 5, to: 5 },
  ]);
  expect(premisesOf({ shift: shift(), steps: SPLIT })).toEqual([{ setting: 'split:m-2', from: 0, to: 0 }]);
  expect(premisesOf({ shift: null, steps: ALONE })).toEqual(ALONE);
});

test('the-way-back-from-any-stage-is-the-share-before-and-the-model-before', () => {
  const back = undoOfPlan({ shift: shift(), steps: ALONE }).map(({ setting, to }) => ({ setting, to }));
  expect(back).toEqual([
    { setting: 'split:m-2', to: 0 },
    { setting: 'model', to: 'm-1' },
  ]);
  const atOnce = { shift: shift({ stages: [100] }), steps: ALONE };
  expect(undoOfPlan(atOnce).map(({ setting }) => setting)).toEqual(['model']);
});

test('traffic-that-another-arm-has-is-not-shifted', () => {
  const state = { 'split:m-3': 20, 'split:answer=v13': 30, 'split:m-4': 0 };
  expect(shiftProblem('m-2', state)).toContain('m-3 gets 20 % of the same traffic');
  expect(shiftProblem('m-3', state)).toBeNull();
  expect(shiftProblem('answer=v14', state)).toContain('answer=v13 gets 30 %');
  expect(shiftProblem('other=v1', state)).toBeNull();
});

test('a-shift-and-a-pin-to-the-same-model-are-told-apart', () => {
  const shifted = describePlan({ shift: shift({ from: 10, stages: [25, 50, 100] }), steps: ALONE });
  expect(shifted).toBe('shift the traffic to m-2: 25 → 50 → 100 % (10 % before)');
  expect(describePlan({ shift: null, steps: ALONE })).toBe('model m-1 → m-2');
});
