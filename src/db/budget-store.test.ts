import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { budgetDay, pruneBudgets, spend, spentOf } from './budget-store.ts';
import type { OpenDatabase } from './database.ts';

let database: TestDatabase;
let opened: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

const DAY = '2026-03-01';

test('many who spend at once stay within the limit and use all of it', async () => {
  const one = () => spend(opened.db, { key: 'crowd', day: DAY, amount: 1, limit: 20 });
  const spent = await Promise.all(Array.from({ length: 50 }, one));
  expect(spent.filter((said) => said)).toHaveLength(20);
  expect(await spentOf(opened.db, { key: 'crowd', day: DAY })).toBe(20);
});

test('an amount that does not fit spends nothing, a smaller one still fits', async () => {
  const buy = (amount: number) => spend(opened.db, { key: 'usd', day: DAY, amount, limit: 1 });
  expect([await buy(1.5), await buy(0.75), await buy(0.5), await buy(0.25)]).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(await spentOf(opened.db, { key: 'usd', day: DAY })).toBe(1);
});

test('each key and each day has its own', async () => {
  const buy = (key: string, day: string) => spend(opened.db, { key, day, amount: 1, limit: 1 });
  expect(await buy('a', DAY)).toBe(true);
  expect(await buy('a', DAY)).toBe(false);
  expect(await buy('b', DAY)).toBe(true);
  expect(await buy('a', '2026-03-02')).toBe(true);
});

test('nothing is given back', async () => {
  const back = spend(opened.db, { key: 'a', day: DAY, amount: -1, limit: 1 });
  await expect(back).rejects.toThrow('amounts above 0');
});

test('a day is one in UTC, and old ones are forgotten', async () => {
  expect(budgetDay(new Date('2026-03-01T23:30:00-05:00'))).toBe('2026-03-02');
  await spend(opened.db, { key: 'old', day: '2026-02-27', amount: 1, limit: 1 });
  await spend(opened.db, { key: 'old', day: '2026-02-28', amount: 1, limit: 1 });
  await pruneBudgets(opened.db, new Date('2026-02-28T12:00:00Z'));
  expect(await spentOf(opened.db, { key: 'old', day: '2026-02-27' })).toBe(0);
  expect(await spentOf(opened.db, { key: 'old', day: '2026-02-28' })).toBe(1);
});
