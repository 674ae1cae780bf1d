import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { Db, OpenDatabase } from '../db/database.ts';
import { answerStep, pathOf, recordStep } from './decision-store.ts';

let place: TestDatabase;
let opened: OpenDatabase;
const asked = new Date('2026-11-22T03:00:00Z');
const answered = new Date('2026-11-22T03:01:00Z');

beforeAll(async () => {
  place = await createTestDatabase();
  opened = await place.open();
});

afterAll(async () => {
  await opened.close();
  await place.drop();
});

async function newIncident(db: Db): Promise<number> {
  const row = await db
    .insertInto('incident')
    .values({
      dedup_key: crypto.randomUUID(),
      title: 'Wrong answers',
      category: 'quality',
      severity: 'sev2',
      status: 'open',
      service: 'support-bot',
      environment: 'production',
      private: false,
      source: 'person',
      rule: null,
      symptom: null,
      declared_by: 'U012ABC',
      commander: null,
      channel_id: null,
      channel_name: null,
      created_at: asked,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

test('a-second-click-on-an-answer-changes-nothing', async () => {
  const key = { incidentId: await newIncident(opened.db), symptom: 'errors', step: 'rate-limited' };
  await recordStep(opened.db, { ...key, finding: '429: 80 %', at: asked });
  const clicks = await Promise.all([
    answerStep(opened.db, key, { answer: 'yes', decidedBy: 'U1', at: answered }),
    answerStep(opened.db, key, { answer: 'no', decidedBy: 'U2', at: answered }),
  ]);
  const [winner, ...others] = clicks.filter((row) => row !== null);
  expect(others).toEqual([]);
  expect(await pathOf(opened.db, key.incidentId)).toEqual([winner]);
  expect(winner).toMatchObject({ step: 'rate-limited', finding: '429: 80 %', at: answered });
});

test('a-step-is-recorded-once-and-keeps-its-first-finding', async () => {
  const key = { incidentId: await newIncident(opened.db), symptom: 'errors', step: 'rate-limited' };
  await recordStep(opened.db, { ...key, finding: null, at: asked });
  await recordStep(opened.db, { ...key, finding: 'later', at: answered });
  expect(await pathOf(opened.db, key.incidentId)).toMatchObject([{ finding: null, answer: null, at: asked }]);
});

test('a-step-that-was-never-asked-cannot-be-answered', async () => {
  const key = { incidentId: await newIncident(opened.db), symptom: 'errors', step: 'rate-limited' };
  expect(await answerStep(opened.db, key, { answer: 'yes', decidedBy: 'U1', at: answered })).toBeNull();
});

test('the-path-lists-the-steps-of-its-own-incident-in-order', async () => {
  const incidentId = await newIncident(opened.db);
  const other = await newIncident(opened.db);
  for (const step of ['c', 'a', 'b']) {
    await recordStep(opened.db, { incidentId, symptom: 'errors', step, finding: null, at: asked });
    await recordStep(opened.db, { incidentId: other, symptom: 'errors', step, finding: null, at: asked });
  }
  expect((await pathOf(opened.db, incidentId)).map((row) => row.step)).toEqual(['c', 'a', 'b']);
});
