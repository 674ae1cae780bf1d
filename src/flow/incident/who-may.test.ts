import { expect, test } from 'vitest';
import { whoMay } from '../../config/people.ts';
import { actionOf, decide } from './who-may.ts';

const sev2 = { severity: 'sev2', category: 'quality' } as const;
const shipped = whoMay.parse({});

test.each([
  ['resolve', 'fixed', 'resolve'],
  ['severity', 'sev1', 'severity'],
  ['severity', 'SEV3 now', 'severity_down'],
  ['severity', '', null],
  ['severity', 'sev9', null],
  ['decline', 'a load test', 'decline'],
  ['mitigate', 'disable', 'mitigate'],
  ['mitigate', '', null],
  ['mitigate', 'reject 4 wrong', null],
  ['mitigate', 'stop 4', null],
  ['private', '', 'private'],
  ['eval', '', null],
  ['eval', 'drop 1', 'eval'],
  ['root-cause', 'the index held names', 'root_cause'],
  ['role', '', null],
  ['role', 'scribe', 'role'],
  ['status', '', null],
  ['constructor', '', null],
])('the command "%s %s" is the action %s', (word, rest, action) => {
  expect(actionOf({ word, rest }, sev2)).toBe(action);
});

test('that-a-safety-incident-was-none-is-settled-by-its-own-rule', () => {
  expect(actionOf({ word: 'decline', rest: 'no' }, { severity: 'sev1', category: 'safety' })).toBeNull();
});

test('as-shipped-anyone-helps-and-ends-it-and-only-who-answers-for-it-hides-it', () => {
  const people = { commander: ['U1'], owner: ['U2'], approver: ['U2', 'U3'] };
  for (const action of [
    'acknowledge',
    'contain',
    'mitigate',
    'update',
    'severity',
    'resolve',
    'decline',
    'close',
  ] as const)
    expect(decide(shipped[action], people, { by: 'U9' })).toEqual({ kind: 'allowed' });
  for (const action of ['merge', 'private', 'severity_down'] as const) {
    expect(decide(shipped[action], people, { by: 'U9' })).toEqual({
      kind: 'refused',
      who: ['U1', 'U2', 'U3'],
      isUnread: false,
    });
    expect(decide(shipped[action], people, { by: 'U3' })).toEqual({ kind: 'allowed' });
  }
});

test('ids-may-stand-beside-what-people-hold', () => {
  const people = { lead: ['U1'], U7: ['U7'], S4: ['U8', 'U9'] };
  for (const by of ['U7', 'U9'])
    expect(decide(['U7', 'S4'], people, { by: by })).toEqual({ kind: 'allowed' });
  expect(decide(['U7', 'S4'], people, { by: 'U1' })).toEqual({
    kind: 'refused',
    who: ['U7', 'U8', 'U9'],
    isUnread: false,
  });
});

test('where-nobody-is-known-who-may-everybody-may', () => {
  expect(decide(shipped.merge, { owner: [], commander: [] }, { by: 'U9' })).toEqual({ kind: 'allowed' });
});

test('who-cannot-be-asked-for-now-is-not-nobody-and-the-lead-stands-in', () => {
  const unread = { isUnread: true, leads: ['U5'] };
  expect(decide(['S4'], { S4: [] }, { by: 'U9', ...unread })).toEqual({
    kind: 'refused',
    who: ['U5'],
    isUnread: true,
  });
  expect(decide(['S4'], { S4: [] }, { by: 'U5', ...unread })).toEqual({ kind: 'allowed' });
  expect(decide(['S4'], { S4: [] }, { by: 'U9', isUnread: true })).toMatchObject({
    kind: 'refused',
    who: [],
  });
});
