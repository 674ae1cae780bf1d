import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import { callsAfter } from './call-sample-store.ts';
import { scoreSummary } from './call-statistics-store.ts';
import { freezeContent, saveCalls, saveEvaluations } from './call-store.ts';
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
