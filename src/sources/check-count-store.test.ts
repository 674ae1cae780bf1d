import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { type OpenDatabase, openDatabase } from '../db/database.ts';
import { blockRate, createCheckCounts, flushCheckCounts, pruneCheckCounts } from './check-count-store.ts';

let home: TestDatabase;
let database: OpenDatabase;
beforeAll(async () => {
  home = await createTestDatabase();
  database = await home.open();
});
afterAll(async () => {
  await database.close();
  await home.drop();
});

const at = (seconds: number) => new Date(Date.parse('2026-03-01T10:00:00Z') + seconds * 1000);
const outcome = (verdict: string, service = 'bot') => ({
  service,
  environment: 'production',
  verdict,
  reason: verdict === 'block' ? 'policy' : 'none',
});
const rate = (service: string, from: Date, to: Date) =>
  blockRate(database.db, { service, environment: 'production', from, to });

describe('counts of checks', () => {
  it('add up over flushes and give the rate of blocks', async () => {
    const counts = createCheckCounts();
    for (const second of [0, 10, 59, 60]) counts.add(outcome('allow'), at(second));
    counts.add(outcome('block'), at(5));
    await flushCheckCounts(database.db, counts);
    counts.add(outcome('block'), at(6));
    await flushCheckCounts(database.db, counts);
    await flushCheckCounts(database.db, counts);
    expect(await rate('bot', at(0), at(60))).toEqual({ n: 5, blocked: 2 });
    expect(await rate('bot', at(0), at(120))).toEqual({ n: 6, blocked: 2 });
    expect(await rate('other', at(0), at(120))).toEqual({ n: 0, blocked: 0 });
  });

  it('of several replicas add up', async () => {
    const replicas = Array.from({ length: 4 }, () => createCheckCounts());
    for (const counts of replicas) {
      for (let n = 0; n < 10; n += 1) counts.add(outcome(n < 3 ? 'block' : 'allow', 'replicated'), at(n));
    }
    await Promise.all(replicas.map((counts) => flushCheckCounts(database.db, counts)));
    expect(await rate('replicated', at(0), at(60))).toEqual({ n: 40, blocked: 12 });
  });

  it('wait while the database is away', async () => {
    const counts = createCheckCounts();
    counts.add(outcome('block', 'patient'), at(0));
    const away = await openDatabase({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', dataDir: '' });
    await expect(flushCheckCounts(away.db, counts)).rejects.toThrow();
    await away.close();
    counts.add(outcome('allow', 'patient'), at(1));
    await flushCheckCounts(database.db, counts);
    expect(await rate('patient', at(0), at(60))).toEqual({ n: 2, blocked: 1 });
  });

  it('are dropped when they are old', async () => {
    const counts = createCheckCounts();
    for (const second of [0, 120]) counts.add(outcome('allow', 'old'), at(second));
    await flushCheckCounts(database.db, counts);
    await pruneCheckCounts(database.db, at(60));
    expect(await rate('old', at(0), at(600))).toEqual({ n: 1, blocked: 0 });
  });
});
