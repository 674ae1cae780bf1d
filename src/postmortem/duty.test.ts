import { expect, test } from 'vitest';
import { concernsLead, dueInWords, nextReminderAt, openSignatures, signaturesOf } from './duty.ts';

const resolved = Date.UTC(2026, 10, 22, 3);
const after = (hours: number) => new Date(resolved + hours * 3_600_000);
const due = after(48);

test.each([
  [0, 24],
  [23.9, 24],
  [24, 40],
  [41, 47],
  [47, 48],
  [48, 72],
  [50, 72],
  [72, 96],
  [170, 192],
])('after %d hours the next reminder comes after %d', (now, next) => {
  expect(nextReminderAt(due, after(now))).toEqual(after(next));
});

test.each([
  [24.004, 'is due in 24 hours'],
  [47, 'is due in 1 hour'],
  [48.001, 'is due now'],
  [49, 'is 1 hour overdue'],
  [72, 'is 1 day overdue'],
  [100, 'is 2 days overdue'],
])('after %d hours it %s', (now, words) => {
  expect(dueInWords(due, after(now))).toBe(words);
});

test('the-lead-hears-of-it-from-the-second-day-on', () => {
  expect([48, 71.9, 72, 96].map((hours) => concernsLead(due, after(hours)))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

const entry = (id: number, kind: string, data = {}) => ({ id, kind, actor: 'U1', at: after(id), data });

test('what-is-added-after-a-sign-off-voids-it', () => {
  const signed = entry(4, 'postmortem-signed', { roles: ['owner'] });
  const before = [entry(2, 'answer'), signed, entry(5, 'notice')];
  expect(signaturesOf(before)).toEqual([{ by: 'U1', at: after(4), roles: ['owner'] }]);
  expect(signaturesOf([...before, entry(6, 'action-item')])).toEqual([]);
});

test('who-holds-two-roles-signs-for-both', () => {
  const by = (...roles: string[]) => [{ by: 'U1', at: due, roles }];
  expect(openSignatures(['owner', 'legal'], by('owner'))).toEqual(['legal']);
  expect(openSignatures(['owner', 'legal'], by('owner', 'legal'))).toEqual([]);
  expect(openSignatures(['owner'], [])).toEqual(['owner']);
});
