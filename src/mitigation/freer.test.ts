import { expect, test } from 'vitest';
import { freerSteps, type Held, isSameSetting, touches } from './freer.ts';
import type { Step } from './plan.ts';
import type { TargetState, Value } from './serving.ts';

const step = (setting: string, from: Value, to: Value): Step => ({ setting, from, to });
const nothing: Held = { own: [], others: [], isKnownGood: false, isForeign: false };
const isFreer = (asked: Step | Step[], held: Partial<Held> = {}, state: TargetState = {}) =>
  freerSteps([asked].flat(), { ...nothing, ...held }, state).length > 0;

test.each([
  ['switching on', step('enabled', false, true), true],
  ['disabling', step('enabled', true, false), false],
  ['answering a type again', step('type:refund', false, true), true],
  ['letting outputs through', step('blocked:dosage', true, false), true],
  ['ending a fallback', step('fallback', 'simple', 'none'), true],
  ['a weaker fallback', step('fallback', 'notice', 'simple'), true],
  ['cached answers for a notice', step('fallback', 'notice', 'cached'), true],
  ['a stronger fallback', step('fallback', 'cached', 'queue'), false],
  ['lifting a limit', step('limit:user u-7', 5, null), true],
  ['widening a limit', step('limit:user u-7', 5, 50), true],
  ['a tighter limit', step('limit:user u-7', 5, 1), false],
  ['a first limit', step('limit:user u-7', null, 9), false],
  ['lifting a cap', step('token-cap', 200, null), true],
  ['a lower cap', step('token-cap', 200, 100), false],
  ['another disclaimer', step('disclaimer', 'Do not trust this', '.'), true],
  ['no disclaimer', step('disclaimer', 'Do not trust this', null), true],
  ['a longer disclaimer', step('disclaimer', 'Do not trust this', 'Do not trust this. Ask us.'), false],
])('%s serves more freely, or does not', (_, asked, expected) => {
  expect(isFreer(asked)).toBe(expected);
});

test('a limit by name is held to that of everybody', () => {
  const state = { 'limit:each user': 0, 'limit:user u-2': 3 };
  expect(isFreer(step('limit:user u-1', null, 100_000), {}, state)).toBe(true);
  expect(isFreer(step('limit:user u-1', null, 0), {}, state)).toBe(false);
  expect(isFreer(step('limit:user u-2', 3, null), {}, state)).toBe(false);
  expect(isFreer(step('limit:session s', null, 9), {}, state)).toBe(false);
});

const away = [step('model', 'bad', 'safe'), step('prompt:answer', 'v14', 'v13')];
const now = { model: 'safe', 'prompt:answer': 'v13' };

test.each([
  ['the model that was taken away', step('model', 'safe', 'bad')],
  ['an arm with that model', step('split:bad', 0, 100)],
  ['an arm with a third model', step('split:third', 0, 1)],
  ['a third model', step('model', 'safe', 'third')],
  ['the prompt that was taken away', step('prompt:answer', 'v13', 'v14')],
  ['the same by no name', step('prompt', 'v13', 'v14')],
  ['an arm with that prompt', step('split:answer=v14', 0, 100)],
])('%s is not served again, whatever the setting is called', (_, asked) => {
  expect(isFreer(asked, { own: away }, now)).toBe(true);
  expect(isFreer(asked, { own: away })).toBe(true);
});

test('a prompt that was taken away without a name is not served again by one', () => {
  const own = [step('prompt', 'v14', 'v13')];
  expect(isFreer(step('prompt:answer', 'v13', 'v14'), { own }, { prompt: 'v13' })).toBe(true);
  expect(isSameSetting('prompt', 'prompt:answer')).toBe(true);
  expect(isSameSetting('prompt:other', 'prompt:answer')).toBe(false);
});

test('what was put in place, or is known good, may get more of the traffic', () => {
  const own = [step('split:safe', 0, 50)];
  const state = { model: 'bad', 'split:safe': 50 };
  expect(isFreer(step('split:safe', 50, 100), { own }, state)).toBe(false);
  expect(isFreer([step('model', 'bad', 'safe'), step('split:safe', 50, 0)], { own }, state)).toBe(false);
  expect(isFreer(step('split:safe', 50, 10), { own }, state)).toBe(true);
  expect(isFreer(step('model', 'safe', 'v-1'), { own: away, isKnownGood: true }, now)).toBe(false);
  expect(isFreer(step('model', 'safe', 'bad'), { own: away, isKnownGood: true }, now)).toBe(true);
});

test('where nothing was taken yet, its own plans choose a version and those of others do not', () => {
  const state = { model: 'bad', 'split:canary': 20 };
  expect(isFreer(step('model', 'bad', 'safe'), {}, state)).toBe(false);
  expect(isFreer(step('model', 'bad', 'safe'), { isForeign: true }, state)).toBe(true);
  expect(isFreer(step('split:canary', 20, 50), { isForeign: true }, state)).toBe(true);
  expect(isFreer(step('split:canary', 20, 0), { isForeign: true }, state)).toBe(false);
});

test('what another incident took away comes back no more than its own', () => {
  const others = [step('model', 'bad', 'safe')];
  expect(isFreer(step('model', 'safe', 'bad'), { others }, { model: 'safe' })).toBe(true);
  expect(isFreer(step('model', 'safe', 'bad'), { others, isKnownGood: true }, { model: 'safe' })).toBe(false);
});

test('a plan is about what was taken where it can undo the effect of it', () => {
  expect(touches(step('split:bad', 0, 100), step('model', 'bad', 'safe'))).toBe(true);
  expect(touches(step('limit:user u-1', null, 9), step('limit:each user', null, 0))).toBe(true);
  expect(touches(step('limit:session s', null, 9), step('limit:each user', null, 0))).toBe(false);
  expect(touches(step('limit:user u-1', 5, null), step('limit:user u-2', null, 0))).toBe(false);
  expect(touches(step('enabled', false, true), step('model', 'bad', 'safe'))).toBe(false);
});
