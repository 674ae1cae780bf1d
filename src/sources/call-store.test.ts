import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import type { Call, CallEvaluation } from './call.ts';
import { callsAfter, inputShape, sampleCalls } from './call-sample-store.ts';
import {
  activeServices,
  formatMinutes,
  formatOfLast,
  scoreMinutes,
  scoreSummary,
  servedSince,
} from './call-statistics-store.ts';
import { freezeContent, saveCalls, saveEvaluations } from './call-store.ts';

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

const T0 = Date.parse('2026-03-01T12:00:00Z');
const BOT = { service: 'support-bot', environment: 'production' };
const HOUR = { ...BOT, from: new Date(T0), to: new Date(T0 + 3_600_000) };

function call(number: number, changes: Partial<Call> = {}): Call {
  return {
    traceId: `a${number.toString(16).padStart(31, '0')}`,
    spanId: `b${number.toString(16).padStart(15, '0')}`,
    ...BOT,
    at: new Date(T0 + number * 1_000),
    requestModel: 'gpt-4',
    responseModel: 'gpt-4-0314',
    parameters: { temperature: 0.5 },
    promptName: 'support',
    promptVersion: '12',
    promptSha256: null,
    userId: `user-${number % 3}`,
    sessionId: null,
    endpoint: number % 4 === 0 ? '/b' : '/a',
    inputTokens: 10,
    outputTokens: 5,
    outputChars: 2,
    costUsd: 0.01,
    latencyMs: 250.5,
    error: null,
    input: 'hello',
    output: 'hi',
    ...changes,
  };
}

function evaluation(number: number, changes: Partial<CallEvaluation> = {}): CallEvaluation {
  const { traceId, spanId, at } = call(number);
  const about = { traceId, spanId, service: 'judge', environment: 'production', at };
  return {
    ...about,
    name: 'quality',
    value: 0.8,
    label: null,
    explanation: null,
    evaluator: 'rubric',
    ...changes,
  };
}

const allCalls = () => opened.db.selectFrom('call').selectAll().orderBy('span_id').execute();
const everything = async () => ({
  calls: await allCalls(),
  evaluations: await opened.db
    .selectFrom('call_evaluation')
    .selectAll()
    .orderBy('call_id')
    .orderBy('name')
    .execute(),
  contents: await opened.db.selectFrom('call_content').selectAll().orderBy('call_id').execute(),
});

describe('saving', () => {
  test('a-batch-sent-twice-changes-nothing', async () => {
    const calls = Array.from({ length: 1_201 }, (_, index) => call(index));
    const verdicts = calls.flatMap((_, index) => [
      evaluation(index),
      evaluation(index, { name: 'format', value: index % 2 }),
    ]);
    expect(await saveCalls(opened.db, calls)).toBe(1_201);
    await saveEvaluations(opened.db, verdicts);
    const before = await everything();
    expect(before.calls).toHaveLength(1_201);
    expect(before.calls[1]).toMatchObject({
      quality: 0.8,
      format_ok: true,
      parameters: { temperature: 0.5 },
    });
    expect(before.calls[2]?.format_ok).toBe(false);
    expect(before.contents).toHaveLength(1_201);
    expect(await saveCalls(opened.db, calls)).toBe(0);
    await saveEvaluations(opened.db, verdicts);
    expect(await everything()).toEqual(before);
  });

  test('a-span-twice-in-one-batch-counts-once', async () => {
    expect(await saveCalls(opened.db, [call(1), call(1), call(2)])).toBe(2);
  });

  test('an-evaluation-before-its-span-is-kept-and-the-span-fills-the-rest', async () => {
    await saveCalls(opened.db, [call(1)]);
    const late = evaluation(2, { at: new Date(T0 + 60_000) });
    await saveEvaluations(opened.db, [
      late,
      evaluation(2, { name: 'format', value: 1 }),
      evaluation(2, { name: 'tone' }),
    ]);
    const stub = (await allCalls())[1];
    expect(stub).toMatchObject({ span_seen: false, service: 'judge', quality: 0.8, format_ok: true });
    await saveCalls(opened.db, [call(3)]);
    expect(await saveCalls(opened.db, [call(2)])).toBe(1);
    const filled = (await allCalls())[1];
    expect(filled).toMatchObject({ span_seen: true, ...BOT, quality: 0.8, format_ok: true, at: call(2).at });
    const { calls, evaluations, contents } = await everything();
    expect(calls).toHaveLength(3);
    expect(evaluations.map((row) => [row.call_id, row.name])).toEqual(
      ['format', 'quality', 'tone'].map((name) => [filled?.id, name]),
    );
    expect(contents).toHaveLength(3);
    // Ids stay the order in which spans arrived.
    expect((await callsAfter(opened.db, { ...BOT, afterId: 0, limit: 9 })).map((row) => row.at)).toEqual(
      [1, 3, 2].map((number) => call(number).at),
    );
  });

  test('an-evaluation-without-trace-joins-by-span-before-and-after', async () => {
    await saveCalls(opened.db, [call(1)]);
    await saveEvaluations(opened.db, [
      evaluation(1, { traceId: null }),
      evaluation(2, { traceId: null, value: 0.2 }),
    ]);
    expect((await allCalls()).map((row) => [row.trace_id, row.quality])).toEqual([
      [call(1).traceId, 0.8],
      ['', 0.2],
    ]);
    await saveCalls(opened.db, [call(2)]);
    expect((await allCalls()).map((row) => [row.trace_id, row.quality, row.span_seen])).toEqual([
      [call(1).traceId, 0.8, true],
      [call(2).traceId, 0.2, true],
    ]);
  });

  test('a-nameless-stub-is-adopted-by-an-evaluation-that-knows-its-trace', async () => {
    await saveEvaluations(opened.db, [evaluation(2, { traceId: null, value: 0.2 })]);
    await saveEvaluations(opened.db, [evaluation(2, { name: 'format', value: 0 })]);
    expect(await allCalls()).toMatchObject([{ trace_id: call(2).traceId, quality: 0.2, format_ok: false }]);
  });

  test('an-evaluation-without-span-counts-once', async () => {
    const lost = evaluation(1, { traceId: null, spanId: null, service: BOT.service });
    await saveEvaluations(opened.db, [lost, lost]);
    await saveEvaluations(opened.db, [lost]);
    expect(await scoreSummary(opened.db, { ...HOUR, excluding: [] })).toEqual({ n: 1, mean: 0.8, sd: null });
  });

  test('the-later-of-two-evaluations-stays-in-either-order', async () => {
    const first = evaluation(1, { value: 0.1 });
    const second = evaluation(1, { value: 0.9, at: new Date(T0 + 90_000) });
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      await opened.db.deleteFrom('call').execute();
      await saveEvaluations(opened.db, order);
      expect((await allCalls())[0]?.quality).toBe(0.9);
      await opened.db.deleteFrom('call').execute();
      for (const one of order) await saveEvaluations(opened.db, [one]);
      expect((await allCalls())[0]?.quality).toBe(0.9);
    }
  });

  test('spans-and-evaluations-that-race-lose-nothing', async () => {
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all([
      saveCalls(
        opened.db,
        numbers.map((number) => call(number)),
      ),
      saveEvaluations(
        opened.db,
        numbers.map((number) => evaluation(number)),
      ),
      saveCalls(
        opened.db,
        numbers.toReversed().map((number) => call(number)),
      ),
      saveEvaluations(
        opened.db,
        numbers.toReversed().map((number) => evaluation(number, { name: 'format', value: 1 })),
      ),
    ]);
    const calls = await allCalls();
    expect(calls).toHaveLength(200);
    expect(calls.every((row) => row.span_seen && row.quality === 0.8 && row.format_ok === true)).toBe(true);
  });

  test('text-that-postgres-cannot-store-does-not-cost-the-batch', async () => {
    await saveCalls(opened.db, [call(1, { output: 'a\u0000b\ud800', userId: '\u0000x' }), call(2)]);
    expect((await everything()).contents[0]?.output).toBe('ab\ufffd');
  });

  test('frozen-texts-stay-with-the-first-incident', async () => {
    await saveCalls(opened.db, [call(1), call(2)]);
    const [first, second] = await allCalls();
    await freezeContent(opened.db, [first?.id ?? 0], 7);
    await freezeContent(opened.db, [first?.id ?? 0, second?.id ?? 0], 8);
    expect((await everything()).contents.map((row) => row.frozen_for)).toEqual([7, 8]);
  });
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

  test('format-counts-the-newest-verdicts-only', async () => {
    const before = new Date(T0 + 115_000);
    const last = await formatOfLast(opened.db, { ...BOT, before, limit: 50, notBefore: new Date(T0) });
    expect(last).toEqual({ n: 50, passed: 45, oldestAt: new Date(T0 + 65_000) });
    const none = await formatOfLast(opened.db, {
      ...BOT,
      before: new Date(T0),
      limit: 50,
      notBefore: new Date(0),
    });
    expect(none).toEqual({ n: 0, passed: 0, oldestAt: null });
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
