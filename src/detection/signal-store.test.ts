import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import { evaluationsBetween, recordEvaluation } from './evaluation-store.ts';
import { qualityFormatVerdict } from './quality-format.ts';
import { nextSignal } from './signal.ts';
import { linkSignal, saveSignal, signalOf, signalsOf } from './signal-store.ts';

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
const KEY = { ...BOT, rule: 'quality.format' as const };
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));

test('a-signal-lives-through-an-episode-with-its-evaluations', async () => {
  const { db } = opened;
  const step = async (minute: number, passed: number) => {
    const verdict = qualityFormatVerdict({ n: 1_000, passed });
    const signal = nextSignal(await signalOf(db, KEY), verdict, at(minute));
    const evaluationId = await recordEvaluation(db, verdict, { ...BOT, at: at(minute) });
    await saveSignal(db, { ...KEY, signal, evaluationId });
    return signal;
  };
  expect(await signalOf(db, KEY)).toBeNull();
  await step(0, 990);
  expect((await step(1, 900)).opened).toBe(true);
  await linkSignal(db, { ...KEY, incidentId: 12 });
  expect((await step(2, 900)).opened).toBe(false);
  const [firing] = await signalsOf(db, BOT);
  expect(firing).toMatchObject({
    ...KEY,
    state: 'firing',
    since: at(1),
    pastBoundSince: at(1),
    incidentId: 12,
  });
  expect((await step(3, 990)).cleared).toBe(true);
  expect((await signalOf(db, KEY))?.incidentId).toBe(12);
  await step(4, 900);
  expect(await signalOf(db, KEY)).toMatchObject({ incidentId: null, since: at(4) });

  const evaluations = await evaluationsBetween(db, { ...KEY, from: at(1), to: at(4) });
  expect(evaluations.map((one) => [one.at, one.state])).toEqual([
    [at(1), 'firing'],
    [at(2), 'firing'],
    [at(3), 'ok'],
  ]);
  const { id, at: _at, ...verdict } = evaluations[0] ?? { id: 0, at: at(0) };
  expect(verdict).toEqual(qualityFormatVerdict({ n: 1_000, passed: 900 }));
  expect(firing?.evaluationId).toBe(id + 1);
  expect(await evaluationsBetween(db, { ...BOT, rule: 'quality.score', from: at(0), to: at(9) })).toEqual([]);
  expect(await signalsOf(db, { environment: 'staging' })).toEqual([]);
});
