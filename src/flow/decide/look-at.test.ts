import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import type { LooksAt } from '../../decision/playbook.ts';
import { appendChanges } from '../../evidence/ledger-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { Call } from '../../sources/call.ts';
import { saveCalls } from '../../sources/call-store.ts';
import { BOT, call, T0 } from '../../sources/example-calls.ts';
import { noteSafetyEvents } from '../../sources/safety-event-store.ts';
import { openIncident, type WantedIncident } from '../incident/open-incident.ts';
import { digestCalls } from '../watch/digest-calls.ts';
import { lookAt } from './look-at.ts';
import { observe } from './observe.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Began twenty minutes ago. */
const NOW = new Date(T0);
const BEGAN = new Date(T0 - 20 * MINUTE_MS);

let bench: JobBench;
let number = 0;
beforeAll(async () => {
  bench = await startJobBench();
});
afterAll(() => bench.close());
/** A service of its own for each test. */
let ours = { ...BOT };
beforeEach(() => {
  number += 1;
  ours = { ...BOT, service: `bot-${number}` };
  bench.moveTo(NOW);
});

/** So many calls spread over the time since it began, or over the day before. */
async function made(
  n: number,
  when: 'since' | 'before',
  each: (index: number) => Partial<Call> = () => ({}),
) {
  const [from, to] = when === 'since' ? [BEGAN.getTime(), T0] : [BEGAN.getTime() - DAY_MS, BEGAN.getTime()];
  const calls = Array.from({ length: n }, (_, index) => {
    number += 1;
    return call(number, {
      ...ours,
      at: new Date(from + ((to - from) * index) / n),
      output: 'Here is what you asked for.',
      outputChars: 27,
      ...each(index),
    });
  });
  await saveCalls(bench.db, calls);
  await digestCalls(bench, NOW);
}

async function opened(changes: Partial<WantedIncident> = {}): Promise<Incident> {
  const wanted: WantedIncident = {
    ...{
      title: 'Odd',
      category: 'quality',
      severity: 'sev3',
      ...ours,
      private: false,
      source: 'person',
      rule: null,
    },
    ...{
      symptom: null,
      declaredBy: 'U1',
      startedAt: BEGAN,
      signal: null,
      passScore: null,
      origin: String(number),
    },
    ...changes,
  };
  const flow = { ...bench, pager: null };
  const { incident } = await bench.db
    .transaction()
    .execute((tx) => openIncident(flow, tx, { ...wanted, now: NOW }));
  return (await findIncident(bench.db, incident.id)) as Incident;
}

const look = async (looksAt: LooksAt, changes?: Partial<WantedIncident>) =>
  lookAt(bench, await opened(changes), looksAt);

test('errors-are-told-apart-by-their-codes', async () => {
  await made(50, 'before');
  await made(40, 'since', (i) =>
    i < 15 ? { error: 'rate_limit_exceeded' } : i < 20 ? { error: '404 model_not_found' } : {},
  );
  expect(await look('rate-limits')).toEqual({
    text: '75.0 % of errors are rate limits. 20 errors in 40 calls: rate_limit_exceeded 15, 404 model_not_found 5.',
    says: 'yes',
  });
  const incident = await opened();
  expect(await lookAt(bench, incident, 'schema-errors')).toMatchObject({ says: 'no' });
  const changelog = await lookAt(bench, incident, 'api-changelog');
  expect(changelog?.text).toContain('5 of 20 errors read like a changed API (404 model_not_found).');
  expect(changelog?.text).toContain('https://platform.openai.com/docs/changelog');
  expect(changelog?.says).toBeNull();
});

test('refusals-are-shown-by-prompt-version', async () => {
  const refusal = "I'm sorry, but I can't help with that.";
  await made(100, 'before');
  await made(60, 'since', (i) =>
    i < 30 ? { promptVersion: '13', output: i < 15 ? refusal : 'Here it is.' } : { promptVersion: '12' },
  );
  const found = await look('refusals-by-prompt');
  expect(found).toEqual({
    text: 'Refusals: support 13 50.0 % of 30; support 12 0.0 % of 30; 0.0 % the day before.',
    says: 'yes',
  });
});

test('the-index-is-as-old-as-the-ledger-says', async () => {
  expect((await look('last-index-update'))?.text).toContain('The ledger has seen no index update.');
  const index = (state: string, previous: string | null, at: Date) => ({
    ...{
      ...ours,
      component: 'index:docs',
      state: { value: state },
      previous: previous === null ? null : { value: previous },
    },
    ...{ at, source: 'reported', actor: 'ci', recordedAt: at },
  });
  await bench.db
    .transaction()
    .execute((tx) =>
      appendChanges(tx, [
        index('7', null, new Date(T0 - 9 * DAY_MS)),
        index('8', '7', new Date(T0 - 3 * DAY_MS)),
      ]),
    );
  const incident = await opened();
  expect(await lookAt(bench, incident, 'last-index-update')).toMatchObject({ says: 'no' });
  expect((await lookAt(bench, incident, 'index-age'))?.text).toContain('index docs is 8, updated 3 days ago');
  expect((await lookAt(bench, incident, 'source-dates'))?.text).toContain(
    'Compare the dates of the documents',
  );
  await bench.db
    .transaction()
    .execute((tx) => appendChanges(tx, [index('9', '8', new Date(BEGAN.getTime() - 10 * MINUTE_MS))]));
  expect(await lookAt(bench, incident, 'last-index-update')).toMatchObject({
    text: expect.stringContaining('10 min before it began'),
    says: 'yes',
  });
  expect(await observe(bench, incident)).toMatchObject({ indexChanged: true, promptChanged: false });
});

test('cost-is-a-loop-or-load-or-an-attack-by-its-calls', async () => {
  await made(200, 'before', (i) => ({
    userId: `u${i % 40}`,
    input: `Where is my parcel to ${'abcdefghij'[i % 10]}?`,
  }));
  await made(80, 'since', () => ({
    userId: 'agent',
    sessionId: 'run',
    input: 'Try again',
    inputTokens: 900,
  }));
  const incident = await opened({ category: 'cost' });
  expect(await lookAt(bench, incident, 'loop')).toMatchObject({
    says: 'yes',
    text: expect.stringContaining('80 calls deep'),
  });
  expect(await lookAt(bench, incident, 'injection')).toMatchObject({ says: 'no' });
  expect(await lookAt(bench, incident, 'load')).toMatchObject({ says: 'no' });
  expect(await observe(bench, incident)).toMatchObject({ costRose: true });
});

test('violations-that-still-come-and-whom-they-reached', async () => {
  const incident = await opened({ category: 'safety', private: true });
  expect(await lookAt(bench, incident, 'safety-events')).toMatchObject({ says: null });
  await made(3, 'since');
  const calls = await bench.db
    .selectFrom('call')
    .select(['id', 'at'])
    .where('service', '=', ours.service)
    .execute();
  await noteSafetyEvents(
    bench.db,
    calls.map(({ id, at }, i) => ({
      ...ours,
      rule: 'safety.pii',
      callId: id,
      at,
      notedAt: at,
      userId: i === 0 ? null : 'u1',
      detail: 'email',
    })),
  );
  expect(await lookAt(bench, incident, 'safety-events')).toEqual({
    text: '3 violations (safety.pii), the last 7 min ago.',
    says: 'yes',
  });
  expect(await lookAt(bench, incident, 'exposed-users')).toEqual({
    text: '1 named user received them; 1 went to calls that name no user.',
    says: 'no',
  });
});

test('texts-of-a-private-incident-are-in-no-finding', async () => {
  await made(60, 'before', () => ({ input: 'Where is my parcel?' }));
  await made(20, 'since', () => ({ input: 'Can I move my pension abroad?', error: 'timeout' }));
  const isPrivate = await opened({ private: true });
  for (const looksAt of ['topic-coverage', 'affected-prompts'] as const)
    expect((await lookAt(bench, isPrivate, looksAt))?.text).toMatch(/not shown here/);
});

test('what-cannot-be-read-is-said', async () => {
  await made(10, 'since');
  const incident = await opened();
  expect(await lookAt(bench, incident, 'retrieved-chunks')).toMatchObject({
    text: expect.stringContaining('no relevance scores'),
    says: null,
  });
  expect(await lookAt(bench, incident, 'provider-status')).toMatchObject({ says: null });
  expect(await lookAt(bench, { ...incident, service: null }, 'error-codes')).toBeNull();
  expect(await lookAt(bench, incident, 'none')).toBeNull();
});
