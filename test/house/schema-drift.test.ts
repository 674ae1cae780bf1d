import type { SelectType } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpenDatabase } from '../../src/db/database.ts';
import { migrateDown, migrateUp } from '../../src/db/migrate.ts';
import type { Database } from '../../src/db/schema.ts';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';

type Nullness<S> = unknown extends S ? 'null' | 'not null' : null extends S ? 'null' : 'not null';

/** Every column of the hand-written types; the compiler refuses a missing, a superfluous or a wrongly null one. */
const columns: { [T in keyof Database]: { [C in keyof Database[T]]: Nullness<SelectType<Database[T][C]>> } } =
  {
    job: {
      id: 'not null',
      kind: 'not null',
      lane: 'null',
      dedupe_key: 'null',
      payload: 'not null',
      state: 'not null',
      run_at: 'not null',
      held_until: 'null',
      held_by: 'null',
      attempts: 'not null',
      last_error: 'null',
      created_at: 'not null',
      finished_at: 'null',
    },
    inbox: {
      key: 'not null',
      kind: 'not null',
      body: 'not null',
      received_at: 'not null',
      held_until: 'not null',
      attempts: 'not null',
      state: 'not null',
      last_error: 'null',
    },
    cron_slot: {
      key: 'not null',
      claimed_at: 'not null',
    },
    setting: {
      key: 'not null',
      value: 'not null',
    },
    call: {
      id: 'not null',
      trace_id: 'not null',
      span_id: 'not null',
      span_seen: 'not null',
      service: 'not null',
      environment: 'not null',
      at: 'not null',
      request_model: 'null',
      response_model: 'null',
      parameters: 'not null',
      prompt_name: 'null',
      prompt_version: 'null',
      prompt_sha256: 'null',
      user_id: 'null',
      session_id: 'null',
      endpoint: 'null',
      input_tokens: 'null',
      output_tokens: 'null',
      output_chars: 'null',
      cost_usd: 'null',
      latency_ms: 'null',
      error: 'null',
      quality: 'null',
      format_ok: 'null',
      received_at: 'not null',
    },
    call_evaluation: {
      call_id: 'not null',
      name: 'not null',
      value: 'null',
      label: 'null',
      explanation: 'null',
      evaluator: 'null',
      at: 'not null',
    },
    call_content: {
      call_id: 'not null',
      input: 'null',
      output: 'null',
      frozen_for: 'null',
    },
    evaluation: {
      id: 'not null',
      service: 'not null',
      environment: 'not null',
      rule: 'not null',
      at: 'not null',
      state: 'not null',
      value: 'null',
      baseline: 'null',
      n: 'not null',
      baseline_n: 'not null',
      lower: 'null',
      upper: 'null',
      threshold: 'null',
      past_bound: 'not null',
    },
    signal: {
      service: 'not null',
      environment: 'not null',
      rule: 'not null',
      state: 'not null',
      since: 'not null',
      past_bound_since: 'null',
      incident_id: 'null',
      evaluation_id: 'not null',
    },
    incident: {
      id: 'not null',
      dedup_key: 'not null',
      title: 'not null',
      category: 'not null',
      severity: 'not null',
      status: 'not null',
      service: 'null',
      environment: 'not null',
      private: 'not null',
      source: 'not null',
      rule: 'null',
      symptom: 'null',
      declared_by: 'null',
      commander: 'null',
      channel_id: 'null',
      channel_name: 'null',
      drill: 'not null',
      created_at: 'not null',
    },
    milestone: {
      incident_id: 'not null',
      name: 'not null',
      at: 'not null',
      recorded_at: 'not null',
      recorded_by: 'not null',
    },
    incident_event: {
      id: 'not null',
      incident_id: 'not null',
      at: 'not null',
      kind: 'not null',
      actor: 'null',
      text: 'not null',
      data: 'not null',
    },
    ledger: {
      id: 'not null',
      service: 'not null',
      environment: 'not null',
      component: 'not null',
      state: 'not null',
      previous: 'null',
      at: 'not null',
      source: 'not null',
      actor: 'null',
      recorded_at: 'not null',
      previous_digest: 'not null',
      digest: 'not null',
    },
    evidence: {
      id: 'not null',
      incident_id: 'not null',
      kind: 'not null',
      at: 'not null',
      data: 'not null',
      digest: 'not null',
    },
    room_message: {
      channel_id: 'not null',
      ts: 'not null',
      incident_id: 'not null',
      thread_ts: 'null',
      user_id: 'not null',
      text: 'not null',
      files: 'not null',
      edited_ts: 'null',
      deleted_at: 'null',
      said_at: 'not null',
      recorded_at: 'not null',
    },
    posted_message: {
      key: 'not null',
      incident_id: 'null',
      channel_id: 'not null',
      ts: 'not null',
      posted_at: 'not null',
    },
    clock: {
      id: 'not null',
      incident_id: 'not null',
      kind: 'not null',
      due_at: 'not null',
      state: 'not null',
      settled_at: 'null',
    },
    page: {
      incident_id: 'not null',
      purpose: 'not null',
      state: 'not null',
      reason: 'not null',
      requested_at: 'not null',
      settled_at: 'null',
      receipt: 'null',
    },
    decision_step: {
      id: 'not null',
      incident_id: 'not null',
      symptom: 'not null',
      step: 'not null',
      finding: 'null',
      answer: 'null',
      decided_by: 'null',
      at: 'not null',
    },
    mitigation: {
      id: 'not null',
      incident_id: 'null',
      service: 'not null',
      environment: 'not null',
      plan: 'not null',
      plan_hash: 'not null',
      status: 'not null',
      proposed_by: 'not null',
      proposed_at: 'not null',
      expires_at: 'not null',
      started_at: 'null',
      last_sent_at: 'null',
      applied_at: 'null',
      settled_at: 'null',
      prove_by: 'null',
      outcome: 'null',
      proof: 'null',
      lease_owner: 'null',
      lease_until: 'null',
    },
    vote: {
      mitigation_id: 'not null',
      voter: 'not null',
      choice: 'not null',
      plan_hash: 'not null',
      reason: 'null',
      at: 'not null',
    },
    audit: {
      seq: 'not null',
      at: 'not null',
      actor: 'not null',
      action: 'not null',
      subject: 'not null',
      data: 'not null',
      previous_digest: 'not null',
      digest: 'not null',
    },
    postmortem: {
      incident_id: 'not null',
      markdown: 'not null',
      missing: 'not null',
      assembled_at: 'not null',
      posted_at: 'null',
    },
    eval_case: {
      id: 'not null',
      incident_id: 'not null',
      call_id: 'null',
      definition: 'not null',
      proven: 'not null',
      created_at: 'not null',
    },
  };

let database: TestDatabase;
let opened: OpenDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
  opened = await database.open();
});

afterEach(async () => {
  await opened.close();
  await database.drop();
});

const tables = () => opened.db.introspection.getTables();

test('the-hand-written-table-types-are-what-the-migrations-make', async () => {
  const migrated = (await tables()).map((table) => [
    table.name,
    Object.fromEntries(table.columns.map((column) => [column.name, column.isNullable ? 'null' : 'not null'])),
  ]);
  expect(Object.fromEntries(migrated)).toEqual(columns);
});

test('migrating-down-leaves-nothing-and-up-again-makes-the-same-tables', async () => {
  const before = await tables();
  const undone = await migrateDown(opened.db);
  expect(await tables()).toEqual([]);
  const done = await migrateUp(opened.db);
  expect(done).toEqual(undone.toReversed());
  expect(await tables()).toEqual(before);
});
