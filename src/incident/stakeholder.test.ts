import { expect, test } from 'vitest';
import { calledAt, rolesOf, stateOf, stepsOf } from './stakeholder.ts';

const WINDOW = { sev1: 60, sev2: 90, sev3: 240 };
const at = new Date(0);

test('safety-is-for-legal-compliance-and-comms-and-quality-for-product', () => {
  expect(rolesOf({ category: 'safety', private: true })).toEqual(['legal', 'compliance', 'comms']);
  expect(rolesOf({ category: 'quality', private: false })).toEqual(['product']);
  expect(rolesOf({ category: 'quality', private: true })).toEqual([]);
  for (const category of ['cost', 'outage'] as const)
    expect(rolesOf({ category, private: false })).toEqual([]);
});

test('a-phone-rings-at-ten-the-next-at-twenty-and-the-breach-is-at-thirty-whatever-the-severity', () => {
  const minutes = stepsOf('legal', 'sev3', WINDOW).map(({ afterMinutes, does }) => `${afterMinutes} ${does}`);
  expect(minutes).toEqual(['10 page', '20 next', '30 breach']);
});

test('product-has-its-own-window-by-severity-and-is-never-paged', () => {
  const steps = stepsOf('product', 'sev2', WINDOW);
  expect(steps.map(({ afterMinutes }) => afterMinutes)).toEqual([45, 90]);
  expect(steps.some(({ pages }) => pages)).toBe(false);
});

test('the-next-contact-is-one-who-was-not-asked-and-else-the-same-again', () => {
  const [, next] = stepsOf('legal', 'sev1', WINDOW);
  if (next === undefined) throw new Error('no second step');
  expect(calledAt(next, { contacts: ['U1', 'U2'], asked: ['U1'] })).toEqual({ next: 'U2', people: ['U2'] });
  expect(calledAt(next, { contacts: ['U1'], asked: ['U1'] })).toEqual({ next: null, people: ['U1'] });
});

test('a-late-answer-counts-as-one-and-nobody-is-a-state-of-its-own', () => {
  expect(stateOf({ acknowledged_at: at, breached_at: at, contacts: ['U1'] })).toBe('acknowledged');
  expect(stateOf({ acknowledged_at: null, breached_at: at, contacts: ['U1'] })).toBe('breached');
  expect(stateOf({ acknowledged_at: null, breached_at: null, contacts: [] })).toBe('nobody');
});
