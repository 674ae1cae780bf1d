import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/harness/database.ts';
import { parseConfigFile } from '../config/config-file.ts';
import type { Db, OpenDatabase } from '../db/database.ts';
import { saveEvidence } from '../evidence/evidence-store.ts';
import { createLog } from '../log.ts';
import { freezeContent, saveCalls, saveEvaluations } from '../sources/call-store.ts';
import { call, evaluation, T0 } from '../sources/example-calls.ts';
import { pruneOld } from '../sources/retention-store.ts';
import { digestCalls } from './watch/digest-calls.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = new Date(T0);
const config = parseConfigFile('', {});

let database: TestDatabase;
let opened: OpenDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
  db = opened.db;
});
afterAll(async () => {
  await opened.close();
  await database.drop();
});

async function incident(): Promise<number> {
  const row = await db
    .insertInto('incident')
    .values({
      ...{
        dedup_key: 'k',
        title: 't',
        category: 'quality',
        severity: 'sev2',
        status: 'open',
        service: 'support-bot',
      },
      ...{
        environment: 'production',
        private: false,
        source: 'rule',
        rule: null,
        symptom: null,
        declared_by: null,
      },
      ...{ commander: null, channel_id: null, channel_name: null, created_at: NOW },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return row.id;
}

test('old-texts-and-calls-go-and-what-an-incident-froze-or-names-stays', async () => {
  const daysAgo = [0, 13, 15, 29, 31, 31, 31];
  await saveCalls(
    db,
    daysAgo.map((days, i) => call(i, { at: new Date(T0 - days * DAY_MS - 1) })),
  );
  await saveEvaluations(
    db,
    daysAgo.map((_, i) => evaluation(i)),
  );
  await digestCalls({ db, config, log: createLog('silent') }, NOW);
  const ids = (await db.selectFrom('call').select('id').orderBy('span_id').execute()).map((row) => row.id);
  const incidentId = await incident();
  await freezeContent(db, [ids[2] ?? 0, ids[4] ?? 0], incidentId);
  const data = { failing: [{ callId: ids[5] }] };
  await saveEvidence(db, { incidentId, kind: 'samples', at: NOW, data });

  const pruned = await pruneOld(db, { now: NOW, retention: config.retention });

  expect(pruned).toMatchObject({ texts: 3, calls: 1, rollups: 2 });
  const left = (await db.selectFrom('call').select('id').orderBy('span_id').execute()).map((row) => row.id);
  expect(left).toEqual(ids.slice(0, 6));
  const texts = await db.selectFrom('call_content').select('call_id').orderBy('call_id').execute();
  expect(texts.map((row) => row.call_id)).toEqual(
    [ids[0], ids[1], ids[2], ids[4]].sort((a, b) => Number(a) - Number(b)),
  );
  expect(await db.selectFrom('call_evaluation').select('call_id').execute()).toHaveLength(6);
  expect(await pruneOld(db, { now: NOW, retention: config.retention })).toMatchObject({
    texts: 0,
    calls: 0,
    rollups: 0,
  });
});

test('what-a-rule-said-goes-unless-a-signal-still-stands-on-it', async () => {
  const said = async (days: number) => {
    const row = await db
      .insertInto('evaluation')
      .values({
        ...{
          service: 's',
          environment: 'production',
          rule: 'quality.score',
          state: 'ok',
          value: 1,
          baseline: 1,
        },
        ...{ n: 1, baseline_n: 1, lower: 1, upper: 1, threshold: 1, past_bound: false, detail: null },
        at: new Date(T0 - days * DAY_MS),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return row.id;
  };
  const [standing, old, fresh] = [await said(40), await said(40), await said(1)];
  await db
    .insertInto('signal')
    .values({
      ...{ service: 's', environment: 'production', rule: 'quality.score', state: 'ok', since: NOW },
      ...{ past_bound_since: null, incident_id: null, evaluation_id: standing },
      ...{ past_since: null, quiet_since: null, closed_at: null },
    })
    .execute();
  expect((await pruneOld(db, { now: NOW, retention: config.retention })).evaluations).toBe(1);
  const left = await db.selectFrom('evaluation').select('id').orderBy('id').execute();
  expect(left.map((row) => row.id)).toEqual([standing, fresh]);
  expect(old).not.toBe(standing);
});
