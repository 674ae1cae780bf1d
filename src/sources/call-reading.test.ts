import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import { inputShape, sampleCalls } from './call-sample-store.ts';
import {
  activeServices,
  formatMinutes,
  scoreMinutes,
  scoreSummary,
  servedSince,
} from './call-statistics-store.ts';
import { saveCalls, saveEvaluations } from './call-store.ts';
import { BOT, call, evaluation, HOUR, T0 } from './example-calls.ts';

let database: TestDatabase;
let opened: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
});
beforeEach(async () => {
  await opened.db.deleteFrom('call').execute();
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

describe('reading', () => {
  beforeEach(async () => {
    const numbers = Array.from({ length: 120 }, (_, index) => index);
    await saveCalls(
      opened.db,
      numbers.map((number) => call(number, number < 60 ? {} : { responseModel: 'gpt-4-0613' })),
    );
    await saveEvaluations(opened.db, [
      ...numbers.map((number) => evaluation(number, { value: number < 60 ? 0.9 : 0.3 })),
      ...numbers.map((number) => evaluation(number, { name: 'format', value: number % 10 === 0 ? 0 : 1 })),
    ]);
  });

  test('scores-are-summed-without-the-excluded-intervals', async () => {
    const whole = await scoreSummary(opened.db, { ...HOUR, excluding: [] });
    expect(whole.n).toBe(120);
    expect(whole.mean).toBeCloseTo(0.6, 12);
    expect(whole.sd).toBeCloseTo(Math.sqrt((120 * 0.09) / 119), 12);
    const excluding = [{ from: new Date(T0 + 60_000), to: new Date(T0 + 110_000) }];
    expect((await scoreSummary(opened.db, { ...HOUR, excluding })).n).toBe(70);
    const none = { ...HOUR, service: 'other', excluding: [] };
    expect(await scoreSummary(opened.db, none)).toEqual({ n: 0, mean: null, sd: null });
  });

  test('minutes-hold-counts-and-sums', async () => {
    const minutes = await scoreMinutes(opened.db, HOUR);
    expect(minutes.map((row) => [row.minute.getTime() - T0, row.n])).toEqual([
      [0, 60],
      [60_000, 60],
    ]);
    expect(minutes[1]?.sum).toBeCloseTo(18, 9);
    expect((await formatMinutes(opened.db, HOUR)).map((row) => row.sum)).toEqual([54, 54]);
  });

  test('active-services-are-those-with-a-recent-call', async () => {
    await saveCalls(opened.db, [
      call(900, { service: 'a', environment: 'staging' }),
      call(901, { service: 'z', at: new Date(T0 - 1) }),
    ]);
    expect(await activeServices(opened.db, { since: new Date(T0) })).toEqual([
      { service: 'a', environment: 'staging' },
      BOT,
    ]);
  });

  test('what-served-is-counted-by-variant', async () => {
    const [older, newer] = await servedSince(opened.db, { ...BOT, since: new Date(T0) });
    expect(older).toMatchObject({
      responseModel: 'gpt-4-0314',
      n: 60,
      scored: 60,
      formatted: 60,
      formatPassed: 54,
    });
    expect(newer).toMatchObject({ responseModel: 'gpt-4-0613', firstAt: new Date(T0 + 60_000), n: 60 });
    expect(newer?.scoreSum).toBeCloseTo(18, 9);
    expect(newer?.scoreSquares).toBeCloseTo(5.4, 9);
  });

  test('bad-samples-come-worst-first-and-good-ones-have-nothing-against-them', async () => {
    const bad = await sampleCalls(opened.db, { ...HOUR, which: 'bad', limit: 100 });
    expect(bad.slice(0, 6).every((row) => row.formatOk === false && row.quality === 0.3)).toBe(true);
    expect(bad).toHaveLength(66);
    const good = await sampleCalls(opened.db, { ...HOUR, which: 'good', limit: 100 });
    expect(good).toHaveLength(54);
    expect(good.every((row) => row.formatOk === true && row.quality === 0.9 && row.output === 'hi')).toBe(
      true,
    );
    const any = { ...HOUR, which: 'any' as const, limit: 40 };
    const spread = await sampleCalls(opened.db, any);
    expect(spread).toEqual(await sampleCalls(opened.db, any));
    expect(spread.filter((row) => row.quality === 0.3).length).toBeGreaterThan(8);
  });

  test('the-shape-of-the-input-is-described', async () => {
    const shape = await inputShape(opened.db, HOUR);
    expect(shape).toEqual({
      calls: 120,
      callsPerMinute: 2,
      meanInputTokens: 10,
      meanInputChars: 5,
      distinctUsers: 3,
      endpoints: [
        { endpoint: '/a', n: 90 },
        { endpoint: '/b', n: 30 },
      ],
    });
  });
});
