import { expect, test } from 'vitest';
import { unseen } from './look-at-pages.ts';
import type { PagerLook } from './pager-port.ts';

const AT = new Date('2026-11-22T03:00:00Z');
const looked = (changes: Partial<PagerLook> = {}): PagerLook => ({
  status: 'triggered',
  urgency: 'high',
  key: null,
  url: null,
  priority: null,
  assignees: [],
  mergedInto: null,
  by: { id: 'PUSR2', name: 'Approver', isPerson: true },
  since: new Date('2026-11-22T02:50:00Z'),
  askedAt: AT,
  ...changes,
});
const page = { pagerdutyId: 'Q1' };
const known = (status: string, priority = '') => [
  { aspect: 'status' as const, value: status },
  { aspect: 'priority' as const, value: priority },
];

test.each([
  ['triggered', undefined, null],
  ['triggered', 'triggered', null],
  ['triggered', 'acknowledged', 'incident.unacknowledged'],
  ['triggered', 'no longer acknowledged', null],
  ['triggered', 'resolved', 'incident.reopened'],
  ['acknowledged', undefined, 'incident.acknowledged'],
  ['acknowledged', 'acknowledged', null],
  ['acknowledged', 'no longer acknowledged', 'incident.acknowledged'],
  ['resolved', 'acknowledged', 'incident.resolved'],
  ['resolved', 'resolved', null],
])('stands as %s and was known as %s: %s', (status, before, type) => {
  const states = before === undefined ? [] : known(before);
  expect(unseen(page, looked({ status }), states)?.type ?? null).toBe(type);
});

test('the same change has the same id at every look, another one another', () => {
  const idOf = (changes: Partial<PagerLook>) =>
    unseen(page, looked({ status: 'acknowledged', ...changes }), [])?.id;
  expect(idOf({ askedAt: new Date('2026-11-22T03:05:00Z') })).toBe(idOf({}));
  expect(idOf({ since: new Date('2026-11-22T03:01:00Z') })).not.toBe(idOf({}));
});

test('it is dated by the look, so that what is told later of before is older', () => {
  expect(unseen(page, looked({ status: 'acknowledged' }), [])).toMatchObject({
    at: AT.toISOString(),
    agent: { id: 'PUSR2' },
  });
});

test('a priority that changed is told as nobody’s doing; one that was never known is none', () => {
  const look = looked({ priority: 'P2' });
  expect(unseen(page, look, known('triggered', 'P1'))).toMatchObject({
    type: 'incident.priority_updated',
    agent: null,
  });
  expect(unseen(page, look, [])).toBeNull();
});
