import { expect, test } from 'vitest';
import { readAsked } from './wanted.ts';

const named = (setting: string, to: string | number | boolean | null) => ({
  kind: 'named',
  wanted: [{ setting, to }],
});

test.each([
  ['known-good', { kind: 'known-good' }],
  ['disable', named('enabled', false)],
  ['Disable', named('enabled', false)],
  ['enable', named('enabled', true)],
  ['disable billing questions', named('type:billing questions', false)],
  ['model gpt-4o', named('model', 'gpt-4o')],
  ['prompt answer=v13', named('prompt:answer', 'v13')],
  ['prompt v13', named('prompt', 'v13')],
  ['fallback notice', named('fallback', 'notice')],
  ['split gpt-4o 25 %', named('split:gpt-4o', 25)],
  ['limit user u-7 10', named('limit:user u-7', 10)],
  ['shift gpt-4o', { kind: 'shift', shift: { arm: 'gpt-4o', isAll: false } }],
  ['shift answer=v13 all', { kind: 'shift', shift: { arm: 'answer=v13', isAll: true } }],
  ['stop #4', { kind: 'stop', mitigationId: 4 }],
  ['limit each user 5', named('limit:each user', 5)],
  ['limit each session off', named('limit:each session', null)],
  ['limit endpoint /v1/answers off', named('limit:endpoint /v1/answers', null)],
  ['cap 500', named('token-cap', 500)],
  ['cap off', named('token-cap', null)],
  ['disclaimer Answers may be wrong.', named('disclaimer', 'Answers may be wrong.')],
  ['disclaimer off', named('disclaimer', null)],
  ['block guaranteed refund', named('blocked:guaranteed refund', true)],
  ['unblock guaranteed refund', named('blocked:guaranteed refund', false)],
  ['undo 3', { kind: 'undo', mitigationId: 3 }],
  ['reject #3 it is the index', { kind: 'reject', mitigationId: 3, reason: 'it is the index' }],
  ['withdraw 3', { kind: 'withdraw', mitigationId: 3, reason: '' }],
  ['Break-Glass 3 all asleep', { kind: 'break-glass', mitigationId: 3, reason: 'all asleep' }],
])('reads "%s"', (text, asked) => {
  expect(readAsked(text)).toEqual(asked);
});

test.each([
  '',
  'known-good now',
  'model',
  'prompt a b',
  'split gpt-4o',
  'undo it',
  'limit u-7 10',
  'limit each endpoint 3',
  'shift',
  'shift gpt-4o now',
  'stop it',
  'toString',
])('does not read "%s"', (text) => {
  expect(readAsked(text)).toBeNull();
});

test('says-what-is-wrong-with-a-value', () => {
  expect(readAsked('split gpt-4o 150')).toEqual({
    kind: 'wrong',
    problem: 'split must be a percentage from 0 to 100, not 150.',
  });
  expect(readAsked('fallback panic')).toMatchObject({ kind: 'wrong' });
});
