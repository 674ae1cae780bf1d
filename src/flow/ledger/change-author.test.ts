import { expect, test } from 'vitest';
import { authorOf } from './change-author.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 5, 10, minute));
const change = { component: 'prompt:answer', setting: 'prompt:answer', value: 'v13' };
const event = (minute: number, by: string | null, setting = 'prompt:answer') => ({
  setting,
  at: at(minute),
  by,
  what: 'moved',
});
const mitigation = {
  id: 7,
  incidentId: 4,
  isPrivate: false,
  proposedBy: 'U012ABC',
  startedAt: at(4),
  appliedAt: at(5) as Date | null,
  steps: [{ setting: 'prompt:answer', to: 'v13' }],
};
const seen = { change, last: { at: at(0) }, own: [], record: [], now: at(10) };

test('the-newest-of-the-targets-own-record-names-the-author', () => {
  const record = [event(8, 'bob', 'model'), event(6, 'alice'), event(3, 'carol')];
  expect(authorOf({ ...seen, record })).toEqual({ at: at(6), actor: 'alice' });
});

test('without-a-record-a-change-is-dated-when-it-was-seen', () => {
  expect(authorOf(seen)).toEqual({ at: at(10), actor: null });
  expect(authorOf({ ...seen, last: undefined })).toEqual({ at: at(10), actor: null });
});

test('a-mitigation-of-ours-is-named-and-a-private-one-without-its-incident-and-people', () => {
  const record = [event(6, 'api-token')];
  const named = { at: at(5), actor: 'U012ABC (mitigation 7, INC-4)' };
  expect(authorOf({ ...seen, record, own: [mitigation] })).toEqual(named);
  expect(authorOf({ ...seen, own: [{ ...mitigation, isPrivate: true }] }).actor).toBe('mitigation 7');
  const other = { ...mitigation, steps: [{ setting: 'prompt:answer', to: 'v12' }] };
  expect(authorOf({ ...seen, record, own: [other] }).actor).toBe('api-token');
  expect(authorOf({ ...seen, own: [{ ...other, appliedAt: null }] }).actor).toBeNull();
  expect(authorOf({ ...seen, own: [{ ...mitigation, appliedAt: null }] })).toEqual({ ...named, at: at(4) });
  const before = { ...mitigation, appliedAt: at(-5) };
  expect(authorOf({ ...seen, own: [before] }).actor).toBeNull();
});

test('no-clock-of-a-vendor-dates-a-change-into-the-future-or-before-the-one-it-follows', () => {
  expect(authorOf({ ...seen, record: [event(14, 'fast')] })).toEqual({ at: at(10), actor: 'fast' });
  const slow = authorOf({ ...seen, record: [event(-3, 'slow')] });
  expect(slow).toEqual({ at: new Date(at(0).getTime() + 1), actor: 'slow' });
  expect(authorOf({ ...seen, record: [event(0, 'the one before')] }).actor).toBeNull();
});
