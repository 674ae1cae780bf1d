import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import type { OpenDatabase } from '../db/database.ts';
import { recordEvaluations } from '../detection/evaluation-store.ts';
import { qualityFormat } from '../detection/rules/quality-format.ts';
import type { Call } from '../sources/call.ts';
import { saveCalls, saveEvaluations } from '../sources/call-store.ts';
import { evidenceOf } from './evidence-store.ts';
import { at, call, newService, type Of, RECORDED } from './example-calls.ts';
import { freezeEvidence } from './freeze-store.ts';
import { freezeInputShift } from './input-freeze-store.ts';
import { lastKnownGood } from './known-good.ts';
import { servingIntervals } from './known-good-store.ts';
import { observe } from './observation-store.ts';

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

const window = { n: 1_000, value: 0.9, sd: null };
const verdict = qualityFormat.judge({ window }, qualityFormat.defaults);

describe('evidence', () => {
  async function incident(of: Of): Promise<number> {
    const row = await opened.db
      .insertInto('incident')
      .values({
        dedup_key: `${of.service}`,
        title: 'Quality',
        category: 'quality',
        severity: 'sev1',
        status: 'open',
        service: of.service,
        environment: of.environment,
        private: false,
        source: 'rule',
        created_at: at(0),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return row.id;
  }

  /** Version 12 is good until `change`, 13 is bad from there on; one call every ten seconds. */
  async function regression(of: Of, change: number, end: number): Promise<void> {
    const calls: Call[] = [];
    for (let second = 0; second < end; second += 10) {
      calls.push(call(of, second, { promptVersion: second < change ? '12' : '13' }));
    }
    await saveCalls(opened.db, calls);
    await saveEvaluations(
      opened.db,
      calls.map(({ traceId, spanId, at: time, promptVersion }) => {
        const value = promptVersion === '12' ? 0.9 : 0.3;
        return {
          ...of,
          traceId,
          spanId,
          at: time,
          name: 'quality',
          value,
          label: null,
          explanation: null,
          evaluator: null,
        };
      }),
    );
    await opened.db.transaction().execute((tx) => observe(tx, { ...of, recordedAt: RECORDED }));
  }

  async function frozenRegression() {
    const of = newService();
    await regression(of, 5_000, 6_000);
    const incidentId = await incident(of);
    await recordEvaluations(opened.db, [{ ...of, at: at(5_900), source: 'calls', verdict }]);
    const freeze = { incidentId, ...of, at: at(6_000), onset: at(5_000), passScore: 0.8 };
    await opened.db.transaction().execute((tx) => freezeEvidence(tx, freeze));
    await freezeInputShift(opened.db, freeze);
    const frozen = await evidenceOf(opened.db, incidentId);
    return { of, incidentId, freeze, frozen };
  }

  test('the-last-known-good-state-comes-from-the-ledger-and-its-calls', async () => {
    const of = newService();
    await regression(of, 5_000, 6_000);
    const intervals = await servingIntervals(opened.db, { ...of, since: at(-100), onset: at(5_060) });
    expect(intervals.map((one) => [one.from, one.to, one.scored.n])).toEqual([
      [at(0), at(5_000), 500],
      [at(5_000), at(5_060), 6],
    ]);
    const good = lastKnownGood({ intervals, onset: at(5_060), baselineMean: 0.9 });
    expect(good?.state['prompt:support']).toEqual({ version: '12', sha256: null });
  });

  test('the-five-data-points-and-the-changes-are-frozen', async () => {
    const { frozen } = await frozenRegression();
    expect(Object.keys(frozen).sort()).toEqual([
      'changes',
      'drift',
      'input-shift',
      'model',
      'prompt',
      'samples',
      'strata',
    ]);
    expect(Object.values(frozen).every((one) => one.intact)).toBe(true);
    expect(frozen.prompt?.data).toMatchObject({ atDeclaration: { 'prompt:support': { version: '13' } } });
    expect(frozen.prompt?.data['variants']).toMatchObject([
      { promptVersion: '13', calls: 100 },
      { promptVersion: '12', calls: 80 },
    ]);
    expect(frozen.model?.data).toMatchObject({
      parameters: { temperature: 0.1 },
      servedSince: at(0).toISOString(),
    });
    expect(frozen.strata?.data['calls']).toHaveLength(20);
    expect(frozen.strata?.data['calls']).toContainEqual(
      expect.objectContaining({ stratum: 'low score', total: 100, probability: 0.1 }),
    );
    expect(frozen.drift?.data['evaluations']).toMatchObject([{ rule: 'quality.format', n: 1_000 }]);
    expect(frozen['input-shift']?.data).toMatchObject({
      window: { calls: 180, callsPerMinute: 6, distinctUsers: 1, meanInputChars: 5 },
      baseline: { calls: 180 },
      shifts: expect.arrayContaining([
        expect.objectContaining({ measure: 'input characters', size: 0, n: 180 }),
      ]),
    });
    expect(frozen.changes?.data['suspects']).toMatchObject([{ sentence: 'prompt support 12 → 13' }]);
    const samples = frozen.samples?.data as {
      failing: { callId: number; quality: number }[];
      representative: object[];
    };
    expect(samples.failing).toHaveLength(20);
    expect(samples.failing.every((one) => one.quality === 0.3)).toBe(true);
    expect(samples.representative).toHaveLength(50);
    expect(JSON.stringify(frozen)).not.toContain('hello');
  });

  test('what-is-frozen-stays-as-it-is-with-its-texts-and-shows-a-forgery', async () => {
    const { of, incidentId, freeze, frozen } = await frozenRegression();
    const failing = (frozen.samples?.data['failing'] ?? []) as { callId: number }[];
    const kept = await opened.db
      .selectFrom('call_content')
      .select('call_id')
      .where('frozen_for', '=', incidentId)
      .execute();
    expect(kept.map((one) => one.call_id)).toEqual(expect.arrayContaining(failing.map((one) => one.callId)));

    await saveCalls(opened.db, [call(of, 5_999, { output: 'later' })]);
    await opened.db.transaction().execute((tx) => freezeEvidence(tx, { ...freeze, at: at(7_000) }));
    expect(await evidenceOf(opened.db, incidentId)).toEqual(frozen);
    await sql`update evidence set data = '{"forged": true}'
      where incident_id = ${incidentId} and kind = 'drift'`.execute(opened.db);
    expect((await evidenceOf(opened.db, incidentId)).drift?.intact).toBe(false);
  });

  test('a-service-without-any-call-freezes-empty-evidence', async () => {
    const of = newService();
    const incidentId = await incident(of);
    await opened.db
      .transaction()
      .execute((tx) => freezeEvidence(tx, { incidentId, ...of, at: at(0), onset: null }));
    await freezeInputShift(opened.db, { incidentId, ...of, at: at(0), onset: null });
    const frozen = await evidenceOf(opened.db, incidentId);
    expect(frozen.prompt?.data).toEqual({ atOnset: {}, atDeclaration: {}, rendered: null, variants: [] });
    expect(frozen.strata?.data['calls']).toEqual([]);
    expect(frozen['input-shift']?.data).toMatchObject({ window: { calls: 0 }, shifts: [] });
  });
});
