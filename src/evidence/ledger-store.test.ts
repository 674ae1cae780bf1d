import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import type { Call } from '../sources/call.ts';
import { saveCalls } from '../sources/call-store.ts';
import { at, call, newService, type Of, RECORDED } from './example-calls.ts';
import { keyOf, observeCalls } from './ledger.ts';
import type { NewLedgerRow } from './ledger-chain.ts';
import { appendChanges, ledgerHead, ledgerHeadRow, rowsOf, stateAt, verifyLedger } from './ledger-store.ts';
import { observe } from './observation-store.ts';
import { effectiveRows, suspects } from './what-changed.ts';

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

const observeNow = (of: Of) =>
  opened.db.transaction().execute((tx) => observe(tx, { ...of, recordedAt: RECORDED }));
const allRows = (of: Of) => rowsOf(opened.db, { ...of, since: at(-1), until: at(10_000_000) });
const timeline = async (of: Of) =>
  effectiveRows(await allRows(of)).map((row) => [row.component, keyOf(row.state), row.at.getTime()]);

/** What one look at all calls in the order of their time would have recorded. */
function expectedTimeline(calls: Call[]) {
  const inOrder = calls
    .toSorted((a, b) => a.at.getTime() - b.at.getTime())
    .map((one, id) => ({ ...one, id }));
  return observeCalls({ known: new Map(), calls: inOrder })
    .changes.filter((change) => change.previous !== null)
    .map((change) => [change.component, keyOf(change.state), change.at.getTime()]);
}

function append(rows: NewLedgerRow[]) {
  return opened.db.transaction().execute((tx) => appendChanges(tx, rows));
}

const reported = (of: Of, second: number, value: string): NewLedgerRow => ({
  ...of,
  component: 'flag',
  state: { value },
  previous: null,
  at: at(second),
  source: 'api',
  actor: 'U012',
  recordedAt: RECORDED,
});

describe('the chain', () => {
  test('writers-that-race-make-one-chain-and-a-changed-row-shows', async () => {
    const of = newService();
    await Promise.all(Array.from({ length: 8 }, (_, index) => append([reported(of, index, `v${index}`)])));
    const rows = await allRows(of);
    expect(rows).toHaveLength(8);
    expect((await verifyLedger(opened.db)).kind).toBe('intact');
    expect(await ledgerHead(opened.db)).toBe(rows.toSorted((a, b) => b.id - a.id)[0]?.digest);

    const rollback = new Error('roll back');
    const tampered = async (change: (id: number) => string) => {
      let found: string | null = null;
      const head = (await ledgerHeadRow(opened.db)) ?? null;
      const victim = rows.toSorted((a, b) => a.id - b.id)[3]?.id ?? 0;
      await opened.db
        .transaction()
        .execute(async (tx) => {
          await sql.raw(change(victim)).execute(tx);
          const verdict = await verifyLedger(tx, head);
          if (verdict.kind === 'broken') found = `${verdict.seq - victim}: ${verdict.problem}`;
          throw rollback;
        })
        .catch((thrown: unknown) => expect(thrown).toBe(rollback));
      return found;
    };
    const altered = '0: was altered after it was written';
    const gone = /^1: does not continue row \d+: it was moved or altered, or a row before it is missing$/;
    expect(await tampered((id) => `update ledger set state = '{"value": "forged"}' where id = ${id}`)).toBe(
      altered,
    );
    expect(await tampered((id) => `update ledger set at = at - interval '1 hour' where id = ${id}`)).toBe(
      altered,
    );
    expect(await tampered((id) => `delete from ledger where id = ${id}`)).toMatch(gone);
    expect(await tampered((id) => `delete from ledger where id > ${id}`)).toMatch(/^1: is cut off: the head/);
    expect((await verifyLedger(opened.db)).kind).toBe('intact');
  });

  test('a-caller-without-a-transaction-is-refused', async () => {
    await expect(appendChanges(opened.db, [reported(newService(), 0, 'x')])).rejects.toThrow(
      'needs a transaction',
    );
  });
});

describe('observing', () => {
  test('a-silent-model-change-is-found-dated-and-seen-once', async () => {
    const of = newService();
    const calls = Array.from({ length: 200 }, (_, second) =>
      call(of, second, { responseModel: second < 150 ? 'gpt-4-0314' : 'gpt-4-0613' }),
    );
    await saveCalls(opened.db, calls.slice(0, 155));
    expect((await observeNow(of)).appended).toHaveLength(3);
    await saveCalls(opened.db, calls.slice(155));
    const { appended, caughtUp } = await observeNow(of);
    expect(caughtUp).toBe(true);
    expect(appended).toMatchObject([{ component: 'model', at: at(150), previous: { served: 'gpt-4-0314' } }]);
    expect((await observeNow(of)).appended).toEqual([]);
    expect(await stateAt(opened.db, { ...of, at: at(149) })).toMatchObject({
      model: { served: 'gpt-4-0314' },
    });
    expect(await stateAt(opened.db, { ...of, at: at(150) })).toEqual({
      model: { requested: 'gpt-4', served: 'gpt-4-0613' },
      'prompt:support': { version: '12', sha256: null },
      'sampling:support': { temperature: '0.1' },
    });
    expect((await verifyLedger(opened.db)).kind).toBe('intact');
  });

  test('a-new-prompt-of-a-known-service-is-a-change-from-nothing', async () => {
    const of = newService();
    await saveCalls(opened.db, [call(of, 0), call(of, 60, { promptName: 'refund', promptVersion: '1' })]);
    await observeNow(of);
    expect(effectiveRows(await allRows(of))).toMatchObject([
      { component: 'prompt:refund', previous: { version: null, sha256: null }, at: at(60) },
    ]);
  });

  test('calls-that-arrive-in-any-order-tell-the-same-story', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const random = randomFrom(seed);
      const of = newService();
      const calls: Call[] = [];
      let version = 1;
      for (let second = 0; second < 400; second += 1) {
        if (random() < 0.012) version += 1;
        const canary = random() < 0.1;
        const promptVersion = String(canary ? version + 1 : version);
        const parameters = { temperature: second < 150 || random() < 0.1 ? 0.1 : 0.9, seed: second };
        const responseModel = second < 220 ? 'old' : 'new';
        calls.push(call(of, second, { promptVersion, responseModel, parameters }));
      }
      // Each call is late by up to 60 s, some by five minutes.
      const arrival = new Map(
        calls.map((one) => [one, one.at.getTime() + random() * (random() < 0.1 ? 300_000 : 60_000)]),
      );
      const arrived = calls.toSorted((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
      for (let start = 0; start < arrived.length; start += 57) {
        await saveCalls(opened.db, arrived.slice(start, start + 57));
        await observeNow(of);
      }
      const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
      expect(sorted(await timeline(of)), `seed ${seed}`).toEqual(sorted(expectedTimeline(calls)));
    }
    expect((await verifyLedger(opened.db)).kind).toBe('intact');
  });

  test('late-calls-of-another-day-are-dated-where-they-belong', async () => {
    const of = newService();
    const calls = Array.from({ length: 3_000 }, (_, index) => call(of, index * 60));
    const isLate = (index: number) => index >= 300 && index < 340;
    const late = calls.filter((_, index) => isLate(index)).map((one) => ({ ...one, promptVersion: '99' }));
    await saveCalls(
      opened.db,
      calls.filter((_, index) => !isLate(index)),
    );
    await observeNow(of);
    await saveCalls(opened.db, [...late, call(of, 3_000 * 60)]);
    const { appended } = await observeNow(of);
    expect(appended.map((row) => [row.state['version'], row.at])).toEqual([
      ['99', at(300 * 60)],
      ['12', at(340 * 60)],
    ]);
  });

  test('parameters-belong-to-their-prompt-and-those-that-begin-to-be-sent-are-no-change', async () => {
    const of = newService();
    const calls = Array.from({ length: 60 }, (_, second) => {
      const promptName = second % 2 === 0 ? 'answer' : 'refund';
      const temperature = promptName === 'answer' ? 0.2 : 0.9;
      return call(of, second, { promptName, parameters: second < 20 ? {} : { temperature, seed: second } });
    });
    await saveCalls(opened.db, calls);
    await observeNow(of);
    const hot = { temperature: 0.8, top_p: 1 };
    const later = Array.from({ length: 20 }, (_, second) =>
      call(of, 100 + second, { promptName: 'answer', parameters: hot }),
    );
    await saveCalls(opened.db, later);
    await observeNow(of);
    const sampling = (await allRows(of)).filter(({ component }) => component.startsWith('sampling'));
    expect(suspects(sampling, at(100)).map(({ sentence }) => sentence)).toEqual([
      'sampling answer: temperature 0.2 → 0.8, top_p unset → 1',
    ]);
  });

  test('what-calls-show-outranks-what-targets-say-and-that-what-people-report', async () => {
    const of = newService();
    await saveCalls(opened.db, [call(of, 0), call(of, 100)]);
    await observeNow(of);
    const promised = { component: 'prompt:support', state: { version: '13', sha256: null } };
    await append([
      { ...reported(of, 50, ''), ...promised },
      { ...reported(of, 60, 'on'), source: 'unleash' },
      { ...reported(of, 70, 'off'), source: 'reported' },
      { ...reported(of, 75, 'off'), source: 'reported:ci' },
      { ...reported(of, 76, 'v2'), component: 'deploy', source: 'reported:ci' },
    ]);
    expect(await stateAt(opened.db, { ...of, at: at(80) })).toEqual({
      deploy: { value: 'v2' },
      flag: { value: 'on' },
      model: { requested: 'gpt-4', served: 'gpt-4-0314' },
      'prompt:support': { version: '12', sha256: null },
      'sampling:support': { temperature: '0.1' },
    });
  });
});

/** mulberry32: repeatable numbers, 0 ≤ x < 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
