import { describe, expect, test } from 'vitest';
import {
  changedSince,
  currentOf,
  describeSetting,
  describeSteps,
  staleNote,
  stepsTo,
  undoOf,
} from './plan.ts';
import { problemWith, type TargetState } from './serving.ts';

const SERVED: TargetState = {
  enabled: true,
  'prompt:answer': 'v14',
  model: 'gpt-4',
  'limit:user u-9': 5,
  'token-cap': 900,
};
const wish = (setting: string, to: string | number | boolean | null) => stepsTo([{ setting, to }], SERVED);

describe('the steps to what is wanted', () => {
  test('what-is-so-already-takes-no-step', () => {
    expect(
      stepsTo(
        [
          { setting: 'enabled', to: true },
          { setting: 'model', to: 'gpt-4o' },
          { setting: 'limit:user u-7', to: null },
          { setting: 'fallback', to: 'none' },
          { setting: 'type:billing', to: true },
          { setting: 'split:gpt-4o', to: 0 },
          { setting: 'blocked:refund', to: false },
        ],
        SERVED,
      ),
    ).toEqual([{ setting: 'model', from: 'gpt-4', to: 'gpt-4o' }]);
  });

  test('a-prompt-without-a-name-is-the-only-one-of-the-target', () => {
    expect(wish('prompt', 'v13')).toEqual([{ setting: 'prompt:answer', from: 'v14', to: 'v13' }]);
    const unnamed = { prompt: 'v14' };
    expect(stepsTo([{ setting: 'prompt:answer', to: 'v13' }], unnamed)).toEqual([
      { setting: 'prompt:answer', from: 'v14', to: 'v13' },
    ]);
    const two = { 'prompt:answer': 'v14', 'prompt:title': 'v2' };
    expect(stepsTo([{ setting: 'prompt', to: 'v13' }], two)).toEqual([
      { setting: 'prompt', from: null, to: 'v13' },
    ]);
  });

  test('what-a-target-does-not-mention-is-at-rest-or-unknown', () => {
    const read = (setting: string) => currentOf({ setting, from: null, to: null }, {});
    expect(['fallback', 'split:x', 'type:x', 'blocked:x', 'limit:user x'].map(read)).toEqual([
      'none',
      0,
      true,
      false,
      null,
    ]);
    expect(['enabled', 'model', 'prompt:x'].map(read)).toEqual([null, null, null]);
  });

  test('undoing-goes-back-in-reverse-and-not-to-what-was-unknown', () => {
    const steps = [...wish('prompt:answer', 'v13'), ...wish('limit:user u-7', 10)];
    expect(undoOf(steps)).toEqual([
      { setting: 'limit:user u-7', from: 10, to: null },
      { setting: 'prompt:answer', from: 'v13', to: 'v14' },
    ]);
    expect(undoOf([{ setting: 'model', from: null, to: 'gpt-4' }])).toEqual([]);
  });
});

describe('a plan and the world', () => {
  const steps = wish('prompt:answer', 'v13');
  test('nothing-changed-or-it-is-so-already', () => {
    expect(staleNote(changedSince(steps, SERVED))).toBeNull();
    expect(staleNote(changedSince(steps, { 'prompt:answer': 'v13' }))).toBeNull();
  });

  test('what-changed-is-said', () => {
    expect(staleNote(changedSince(steps, { 'prompt:answer': 'v15' }))).toBe(
      'The plan is stale: it was made when prompt answer v14 → v13 began at v14, now it is v15. It was not sent.',
    );
  });
});

test.each([
  ['enabled', false, 'disable the feature'],
  ['prompt:answer', 'v13', 'prompt answer v14 → v13'],
  ['model', 'gpt-4-0314', 'model gpt-4 → gpt-4-0314'],
  ['fallback', 'notice', 'fallback none → notice'],
  ['type:billing', false, 'stop answering queries of type billing'],
  ['split:gpt-4o', 25, '25 % of the traffic to gpt-4o'],
  ['limit:user u-7', 10, 'limit user u-7 to 10 requests a minute (no limit before)'],
  ['limit:user u-9', 1, 'limit user u-9 to 1 request a minute (5 requests a minute before)'],
  ['limit:user u-9', null, 'lift the limit of user u-9 (5 requests a minute before)'],
  ['token-cap', 500, 'cap outputs at 500 tokens (900 before)'],
  ['token-cap', null, 'lift the cap of 900 output tokens'],
  ['disclaimer', 'May be wrong.', 'add the disclaimer "May be wrong."'],
  ['blocked:refund', true, 'hold back outputs with "refund"'],
])('%s to %s is told as "%s"', (setting, to, said) => {
  expect(describeSteps(wish(setting, to))).toBe(said);
});

test('values-have-their-unit', () => {
  expect(describeSetting('limit:user u-7', null)).toBe('none');
  expect(describeSetting('model', null)).toBe('unknown');
  expect(describeSetting('token-cap', 500)).toBe('500 tokens');
  expect(describeSetting('blocked:x', true)).toBe('held back');
});

test.each([
  ['split:gpt-4o', 150, 'split must be a percentage from 0 to 100, not 150.'],
  ['split', 10, '"split" does not say whom or what it is about.'],
  ['limit:u-7', 10, '"limit:u-7" does not say whom or what it is about.'],
  ['limit:user u-7', 1.5, 'limit must be a whole number of requests a minute, not 1.5.'],
  ['fallback', 'panic', 'fallback must be one of none, cached, simple, notice, queue, not panic.'],
  ['weather', 1, 'There is no setting "weather".'],
  ['model', '', 'model must be the id of a model, not .'],
])('refuses %s = %s', (setting, to, problem) => {
  expect(problemWith({ setting, to })).toBe(problem);
});
