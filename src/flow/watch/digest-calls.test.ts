import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import { parseConfigFile } from '../../config/config-file.ts';
import type { Db, OpenDatabase } from '../../db/database.ts';
import { createLog } from '../../log.ts';
import type { Call } from '../../sources/call.ts';
import { mergeStats, statsFromJson } from '../../sources/call-stats.ts';
import { saveCalls, saveEvaluations } from '../../sources/call-store.ts';
import { callsSource } from '../../sources/calls-source.ts';
import { BOT, call, evaluation, T0 } from '../../sources/example-calls.ts';
import type { Measure, Question, Reading } from '../../sources/metric-source.ts';
import { digestCalls } from './digest-calls.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = new Date(T0 + 2 * HOUR_MS);

let database: TestDatabase;
let opened: OpenDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
  db = opened.db;
});
beforeEach(async () => {
  for (const table of ['call', 'call_rollup', 'safety_event', 'setting'] as const)
    await db.deleteFrom(table).execute();
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

const config = parseConfigFile(
  JSON.stringify({ services: { 'support-bot': { format: { pattern: '^\\{' } }, other: {} } }),
  {},
);
const digest = (now = NOW) => digestCalls({ db, config, log: createLog('silent') }, now);
const rollups = async (span: 'minute' | 'hour') => {
  const rows = await db
    .selectFrom('call_rollup')
    .selectAll()
    .where('span', '=', span)
    .orderBy('start')
    .execute();
  return rows.map((row) => ({ ...row, stats: statsFromJson(row.stats) }));
};
const numbered = (n: number, changes: (i: number) => Partial<Call>) =>
  Array.from({ length: n }, (_, i) => call(i, changes(i)));

describe('digesting calls', () => {
  test('counts-every-call-once-in-its-minute-and-its-hour-however-often-it-runs', async () => {
    await saveCalls(
      db,
      numbered(2_500, (i) => ({ at: new Date(T0 + i * 2_000) })),
    );
    expect((await digest()).calls).toBe(2_500);
    const minutes = await rollups('minute');
    expect(minutes).toHaveLength(84);
    expect(minutes.reduce((sum, row) => sum + row.calls, 0)).toBe(2_500);
    const hours = await rollups('hour');
    expect(hours.map((row) => row.calls)).toEqual([1_800, 700]);
    expect(hours[0]?.stats.tokens).toEqual(mergeStats(minutes.slice(0, 60).map((row) => row.stats)).tokens);
    expect((await digest()).calls).toBe(0);
    expect(await rollups('minute')).toEqual(minutes);
  });

  test('an-hour-is-counted-when-it-is-over-even-if-nothing-more-arrives', async () => {
    await saveCalls(db, [call(1), call(2)]);
    await digest(new Date(T0 + 30 * MINUTE_MS));
    expect((await rollups('hour')).map((row) => row.calls)).toEqual([0]);
    await digest(new Date(T0 + HOUR_MS));
    expect((await rollups('hour')).map((row) => row.calls)).toEqual([2]);
  });

  test('a-score-that-arrives-later-changes-the-minute-of-its-call', async () => {
    await saveCalls(db, [call(1), call(70)]);
    await digest();
    await saveEvaluations(db, [evaluation(70, { value: 0.3, at: new Date(T0 + HOUR_MS + 1) })]);
    await digest();
    expect((await rollups('minute')).map((row) => row.stats.score[0])).toEqual([0, 1]);
    expect((await rollups('hour')).map((row) => row.stats.score)).toEqual([[1, 0.3, 0.09]]);
  });

  test('a-score-that-waited-for-its-call-moves-to-the-minute-of-the-call', async () => {
    const late = new Date(T0 + 50 * MINUTE_MS);
    await saveEvaluations(db, [
      evaluation(1, { at: late }),
      evaluation(1, { name: 'user_flag', value: 1, at: late }),
    ]);
    expect((await digest()).safetyEvents).toHaveLength(1);
    await saveCalls(db, [call(1)]);
    expect((await digest()).safetyEvents).toEqual([]);
    const scored = (await rollups('minute')).filter((row) => row.stats.score[0] > 0);
    expect(scored.map((row) => [row.service, row.start])).toEqual([['support-bot', new Date(T0)]]);
    const { id } = await db.selectFrom('call').select('id').executeTakeFirstOrThrow();
    expect(
      (await db.selectFrom('safety_event').select('call_id').execute()).map((row) => row.call_id),
    ).toEqual([id]);
  });

  test('computes-the-format-where-the-service-has-one-unless-the-call-has-a-verdict', async () => {
    await saveCalls(db, [
      call(1, { output: '{"a": 1}' }),
      call(2, { output: 'sorry' }),
      call(3, { output: 'sorry' }),
      call(4, { output: 'sorry', service: 'other' }),
    ]);
    await saveEvaluations(db, [evaluation(3, { name: 'format', value: 1 })]);
    await digest();
    const formats = async () =>
      (await db.selectFrom('call').select('format_ok').orderBy('span_id').execute()).map(
        (row) => row.format_ok,
      );
    expect(await formats()).toEqual([true, false, true, null]);
    await saveEvaluations(db, [evaluation(2)]);
    expect(await formats()).toEqual([true, false, true, null]);
    await saveEvaluations(db, [evaluation(2, { name: 'format', value: 1 })]);
    await digest();
    expect(
      (await rollups('minute')).map((row) => [row.service, row.stats.formatted, row.stats.passed]),
    ).toEqual([
      ['other', 0, 0],
      ['support-bot', 3, 3],
    ]);
  });

  test('notes-each-leak-and-each-flag-once', async () => {
    await saveCalls(db, [
      call(1, { output: 'Write to jane.doe@gmail.com for the refund.' }),
      call(2),
      call(3, { userId: 'bob' }),
    ]);
    const verdicts = [
      evaluation(2, { name: 'safety', value: null, label: 'SAFE' }),
      evaluation(3, { name: 'safety', value: null, label: 'self-harm' }),
      evaluation(3, { name: 'user_flag', value: 1 }),
    ];
    await saveEvaluations(db, verdicts);
    const { safetyEvents } = await digest();
    expect(safetyEvents.map(({ rule, detail, userId }) => [rule, detail, userId]).sort()).toEqual([
      ['safety.classifier', 'self-harm', 'bob'],
      ['safety.pii', 'email', 'user-1'],
      ['safety.user_flag', 'flagged by a user', 'bob'],
    ]);
    await saveEvaluations(
      db,
      verdicts.map((one) => ({ ...one, at: new Date(T0 + HOUR_MS), explanation: 'again' })),
    );
    expect((await digest()).safetyEvents).toEqual([]);
  });

  test('two-replicas-at-once-count-nothing-twice-and-miss-nothing', async () => {
    const calls = numbered(3_000, (i) => ({ at: new Date(T0 + i * 1_000), output: 'call 555-0199' }));
    const [first, second] = [calls.slice(0, 1_500), calls.slice(1_500)];
    await saveCalls(db, first);
    const results = await Promise.all([digest(), saveCalls(db, second), digest(), digest()]);
    await digest();
    expect((await rollups('hour')).reduce((sum, row) => sum + row.calls, 0)).toBe(3_000);
    expect(await db.selectFrom('call_feature').select('call_id').execute()).toHaveLength(3_000);
    expect(results[0]).toMatchObject({ calls: expect.any(Number) });
  });

  test('a-digest-that-was-cut-short-is-finished-by-the-next', async () => {
    await saveCalls(
      db,
      numbered(1_500, (i) => ({ at: new Date(T0 + i * 1_000) })),
    );
    const broken = { db: failingAfter(db, 2), config, log: createLog('silent') };
    await expect(digestCalls(broken, NOW)).rejects.toThrow('cut off');
    await digest();
    expect((await rollups('hour')).reduce((sum, row) => sum + row.calls, 0)).toBe(1_500);
    expect((await rollups('minute')).every((row) => row.changed > 0)).toBe(true);
  });
});

describe('a baseline', () => {
  const asked = (measure: Measure, changes: Partial<Question> = {}): Question => ({
    ...BOT,
    ...{ rule: 'quality.score', measure, isBaseline: true },
    ...{ from: new Date(NOW.getTime() - 7 * 24 * HOUR_MS), to: new Date(NOW.getTime() - 30 * MINUTE_MS) },
    ...changes,
  });
  const readingFrom = async (
    source: ReturnType<typeof callsSource>,
    question: Question,
    now = NOW,
  ): Promise<Reading> => {
    const [answer] = await source.read([question], now);
    if (answer?.kind !== 'reading') throw new Error('no reading');
    return answer.reading;
  };

  test('shows-a-week-that-was-sent-at-once-at-the-next-tick-and-one-more-score-at-the-tick-after', async () => {
    const source = callsSource(db);
    const week = numbered(199, (i) => ({ at: new Date(NOW.getTime() - HOUR_MS - i * 50 * MINUTE_MS) }));
    await saveCalls(db, week);
    await saveEvaluations(
      db,
      week.map((one, i) => evaluation(i, { at: one.at, value: 1 })),
    );
    await digest();
    expect(await readingFrom(source, asked('score'))).toMatchObject({ n: 199, value: 1 });
    await saveCalls(db, [call(500, { at: new Date(NOW.getTime() - 60 * HOUR_MS) })]);
    await saveEvaluations(db, [evaluation(500, { value: 0 })]);
    await digest();
    expect(await readingFrom(source, asked('score'))).toMatchObject({ n: 200, value: 199 / 200 });
  });

  test('is-as-old-as-ten-minutes-at-the-most-and-forgets-at-once-what-an-incident-takes-out', async () => {
    const source = callsSource(db);
    await saveCalls(
      db,
      numbered(60, (i) => ({ at: new Date(NOW.getTime() - (i + 10) * MINUTE_MS) })),
    );
    await digest();
    const at = (minutes: number, changes: Partial<Question> = {}) => {
      const now = new Date(NOW.getTime() + minutes * MINUTE_MS);
      const to = new Date(now.getTime() - 30 * MINUTE_MS);
      const from = new Date(now.getTime() - 7 * 24 * HOUR_MS);
      return readingFrom(source, asked('errors', { from, to, ...changes }), now);
    };
    expect((await at(0)).n).toBe(39);
    expect((await at(9)).n).toBe(39);
    expect((await at(11)).n).toBe(50);
    const incident = {
      from: new Date(NOW.getTime() - 40.5 * MINUTE_MS),
      to: new Date(NOW.getTime() - 35 * MINUTE_MS),
    };
    expect((await at(11, { excluding: [incident] })).n).toBe(44);
    const open = { ...incident, to: new Date(NOW.getTime() + 11 * MINUTE_MS) };
    expect((await at(11, { excluding: [open] })).n).toBe(28);
  });
});

/** The handle, whose transactions fail from the n-th on, as after a crash. */
function failingAfter(handle: Db, transactions: number): Db {
  let begun = 0;
  return new Proxy(handle, {
    get(target, name, receiver) {
      if (name === 'transaction') {
        begun += 1;
        if (begun > transactions) throw new Error('cut off');
      }
      const value: unknown = Reflect.get(target, name, receiver);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
