import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import { evaluationsBetween, firstWarning, recordEvaluations } from './evaluation-store.ts';
import type { RuleVerdict } from './rule.ts';
import { qualityFormat } from './rules/quality-format.ts';
import { nextSignal } from './signal.ts';
import { linkSignal, lockSignal, saveSignals, signalsOf } from './signal-store.ts';

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

const BOT = { service: 'support-bot', environment: 'production' };
const KEY = { ...BOT, rule: 'quality.format' as const, warning: false };
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const settings = qualityFormat.defaults;
const verdictAt = (passed: number): RuleVerdict =>
  qualityFormat.judge({ window: { n: 1_000, value: passed / 1_000, sd: null } }, settings);

async function step(minute: number, passed: number) {
  const { db } = opened;
  const verdict = verdictAt(passed);
  const signal = nextSignal(await lockSignal(db, KEY), verdict, { settings, now: at(minute) });
  const evaluations = [{ ...BOT, at: at(minute), source: 'calls', verdict }];
  const [evaluationId] = await recordEvaluations(db, evaluations);
  await saveSignals(db, [{ ...KEY, signal, evaluationId: evaluationId as number }]);
  return signal;
}

test('a-signal-lives-through-an-episode-with-its-evaluations', async () => {
  const { db } = opened;
  expect(await lockSignal(db, KEY)).toBeNull();
  await step(0, 990);
  expect((await step(1, 900)).opened).toBe(true);
  await linkSignal(db, { ...KEY, incidentId: 12 });
  expect((await step(2, 900)).opened).toBe(false);
  const [firing] = await signalsOf(db, BOT);
  const since = { since: at(1), pastSince: at(1), pastBoundSince: at(1) };
  expect(firing).toMatchObject({ ...KEY, ...since, state: 'firing', incidentId: 12, quietSince: null });
  expect((await step(3, 990)).state).toBe('recovering');
  expect((await step(33, 990)).cleared).toBe(true);
  expect(await lockSignal(db, KEY)).toMatchObject({ state: 'ok', closedAt: at(33), incidentId: 12 });

  const evaluations = await evaluationsBetween(db, { ...KEY, from: at(1), to: at(4) });
  expect(evaluations.map((one) => [one.at, one.state])).toEqual([
    [at(1), 'firing'],
    [at(2), 'firing'],
    [at(3), 'ok'],
  ]);
  const { unmistakable, isClear, ...kept } = verdictAt(900);
  expect(evaluations[0]).toMatchObject({ ...kept, source: 'calls' });
  expect([unmistakable, isClear]).toEqual([true, false]);
  expect(await evaluationsBetween(db, { ...BOT, rule: 'quality.score', from: at(0), to: at(9) })).toEqual([]);
  expect(await signalsOf(db, { environment: 'staging' })).toEqual([]);
});

test('ids-come-back-in-the-order-of-the-evaluations', async () => {
  const { db } = opened;
  const of = { service: 'in-order', environment: 'production', source: 'calls' };
  const wanted = Array.from({ length: 40 }, (_, i) => 960 - i);
  const ids = await recordEvaluations(
    db,
    wanted.map((passed, i) => ({ ...of, at: at(i), verdict: verdictAt(passed) })),
  );
  const rows = await db.selectFrom('evaluation').select(['id', 'value']).where('id', 'in', ids).execute();
  const values = new Map(rows.map(({ id, value }) => [id, value]));
  expect(ids.map((id) => values.get(id))).toEqual(wanted.map((passed) => passed / 1_000));
});

test('an-early-warning-is-a-signal-of-its-own-and-no-verdict-of-the-rule', async () => {
  const { db } = opened;
  const of = { service: 'warned', environment: 'production' };
  const warning = { ...verdictAt(900), warning: true };
  const key = { ...of, rule: 'quality.format' as const };
  const [evaluationId = 0] = await recordEvaluations(db, [
    { ...of, at: at(5), source: 'calls', verdict: warning },
  ]);
  const signal = nextSignal(null, warning, { settings, now: at(5) });
  await saveSignals(db, [{ ...key, warning: true, signal, evaluationId }]);
  expect(await lockSignal(db, { ...key, warning: false })).toBeNull();
  expect(await evaluationsBetween(db, { ...of, from: at(0), to: at(9) })).toEqual([]);
  expect(await firstWarning(db, { ...key, since: at(0) })).toMatchObject({ at: at(5), warning: true });
  expect(await firstWarning(db, { ...key, since: at(6) })).toBeNull();
});
