import { expect, test } from 'vitest';
import type { Reading } from '../../sources/metric-source.ts';
import { costSpend } from './cost-spend.ts';

test('names-the-user-behind-the-only-endpoint-and-an-endpoint-only-when-its-share-rose', () => {
  const reading = (shares: Record<string, number>, about: string): Reading => ({
    n: 1_000,
    value: shares[about] ?? null,
    sd: null,
    about,
    parts: Object.fromEntries(
      Object.entries(shares).map(([name, share]) => [name, { calls: share * 1_000, tokens: share * 90_000 }]),
    ),
  });
  const named = (now: Record<string, number>, was: Record<string, number>, about = 'endpoint /a') =>
    costSpend.judge(
      {
        fast: { n: 9, value: 80, sd: null },
        slow: { n: 9, value: 60, sd: null },
        offender: reading(now, about),
        before: reading(was, about),
      },
      costSpend.defaults,
    ).detail;
  const only = { 'endpoint /a': 1, 'user u1': 0.02 };
  expect(named({ 'endpoint /a': 1, 'user u1': 0.9 }, only)).toBe('user u1');
  expect(named({ 'endpoint /a': 1, 'user u1': 0.1 }, only)).toBeNull();
  const batch = { 'endpoint /a': 0.95, 'endpoint /b': 0.05, 'user u1': 0.1 };
  expect(named(batch, { 'endpoint /a': 0.2, 'endpoint /b': 0.8, 'user u1': 0.1 })).toBe('endpoint /a');
  expect(named(batch, { 'endpoint /a': 0.9, 'endpoint /b': 0.1, 'user u1': 0.1 })).toBeNull();
});
