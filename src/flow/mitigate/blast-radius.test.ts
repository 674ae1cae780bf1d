import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import type { OpenDatabase } from '../../db/database.ts';
import type { Plan, Step } from '../../mitigation/plan.ts';
import type { Call } from '../../sources/call.ts';
import { saveCalls } from '../../sources/call-store.ts';
import { BOT, call, T0 } from '../../sources/example-calls.ts';
import { blastRadius } from './blast-radius.ts';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let opened: OpenDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
  const hour = Array.from({ length: 60 }, (_, i) => call(i, { outputTokens: i < 6 ? 300 : 100 }));
  const yesterday = (i: number, changes: Partial<Call>) =>
    call(1_000 + i, { at: new Date(T0 - 20 * HOUR_MS + i * 1_000), costUsd: 0.004, ...changes });
  const cheaper = Array.from({ length: 40 }, (_, i) =>
    yesterday(i, { requestModel: 'small', responseModel: 'small' }),
  );
  const rare = Array.from({ length: 5 }, (_, i) =>
    yesterday(100 + i, { requestModel: 'rare', responseModel: 'rare' }),
  );
  const other = Array.from({ length: 20 }, (_, i) =>
    call(200 + i, { promptName: 'triage', promptVersion: '3' }),
  );
  await saveCalls(opened.db, [...hour, ...cheaper, ...rare, ...other]);
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

const of = (step: Step, shift: Plan['shift'] = null) =>
  blastRadius(
    { db: opened.db, clock: { now: () => new Date(T0 + HOUR_MS / 2) } },
    { ...BOT, steps: [step], shift },
  );

test.each<[string, Step, string]>([
  [
    'a model with its price and its prompts',
    { setting: 'model', from: 'gpt-4-0314', to: 'small' },
    'All traffic of support-bot: 80 calls by 3 users in the last hour. Prompts that use it: support, triage. ' +
      'Cost: about −$0.48 an hour at this traffic ($0.01 → $0.004 a call, n = 80 and 40).',
  ],
  [
    'a model of which too few calls are known',
    { setting: 'model', from: 'gpt-4-0314', to: 'rare' },
    'All traffic of support-bot: 80 calls by 3 users in the last hour. Prompts that use it: support, triage.',
  ],
  [
    'a prompt that not all calls use',
    { setting: 'prompt:triage', from: '3', to: '2' },
    'Prompt triage alone: 20 of 80 calls of support-bot in the last hour (25.0 %).',
  ],
  [
    'the feature off',
    { setting: 'enabled', from: true, to: false },
    'All traffic of support-bot: 80 calls by 3 users in the last hour. Cost: about −$0.80 an hour ($0.01 a call, n = 80).',
  ],
  [
    'a share of the traffic',
    { setting: 'split:small', from: 0, to: 50 },
    '50 % of the traffic of support-bot: 80 calls by 3 users in the last hour. ' +
      'Cost: about −$0.24 an hour at this traffic ($0.01 → $0.004 a call, n = 80 and 40).',
  ],
  [
    'a limit that nobody reaches',
    { setting: 'limit:user user-1', from: null, to: 5 },
    'user user-1 alone: 26 of 80 calls of support-bot in the last hour (32.5 %).',
  ],
  [
    'a limit of everybody',
    { setting: 'limit:each user', from: null, to: 5 },
    'Each user of support-bot without a limit by name; the busiest made 27 of 80 calls in the last hour.',
  ],
  [
    'a cap on tokens',
    { setting: 'token-cap', from: null, to: 200 },
    '6 of 80 outputs of support-bot in the last hour were longer than that; 8.2 % of all output tokens were beyond it.',
  ],
])('says who is affected by %s', async (_, step, said) => {
  expect(await of(step)).toBe(said);
});

test('says by which stages a shift touches the traffic', async () => {
  const gate = { margin: 0.05, minCalls: 100, minutes: 30 };
  const shift = { setting: 'split:small', from: 0, stages: [10, 100], gate };
  expect(await of({ setting: 'model', from: 'gpt-4-0314', to: 'small' }, shift)).toContain(
    'All traffic of support-bot, by 10 → 100 %: 80 calls by 3 users in the last hour.',
  );
});
