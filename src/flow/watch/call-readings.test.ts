import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import { parseConfigFile } from '../../config/config-file.ts';
import type { Db, OpenDatabase } from '../../db/database.ts';
import { createLog } from '../../log.ts';
import type { Call } from '../../sources/call.ts';
import { saveCalls, saveEvaluations } from '../../sources/call-store.ts';
import { callsSource } from '../../sources/calls-source.ts';
import { BOT, call, evaluation, T0 } from '../../sources/example-calls.ts';
import { callInspector } from '../../sources/inspected-call.ts';
import type { Answer, Measure, Question, Reading } from '../../sources/metric-source.ts';
import { type CountedCall, recordedCalls } from '../../sources/recorded-calls.ts';
import { digestCalls } from './digest-calls.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Ends within a minute, so that windows have cut minutes at both ends. */
const SPAN_MS = 8 * DAY_MS + 17_345;

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

/** One call as it is sent, and what is said about it. */
interface Sent {
  offsetMs: number;
  changes: Partial<Call>;
  score: number | null;
  similarity: number | null;
  format: boolean | null;
  flagged: boolean;
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const outputs = [
  'I cannot help with that.',
  'It may be 42, perhaps.',
  'The fee is 7 euros.',
  'Write to a.b@mail.com',
  null,
];
const sent: fc.Arbitrary<Sent> = fc.record({
  // Most of the calls are recent, so that windows have some.
  offsetMs: fc
    .oneof(fc.nat(2 * MINUTE_MS), fc.nat(90 * MINUTE_MS), fc.nat(SPAN_MS - 1))
    .map((before) => SPAN_MS - 1 - before),
  changes: fc.record({
    latencyMs: maybe(fc.nat(9_000)),
    inputTokens: maybe(fc.nat(900)),
    outputTokens: maybe(fc.nat(900)),
    costUsd: maybe(fc.integer({ min: 0, max: 64 }).map((n) => n / 64)),
    userId: maybe(fc.constantFrom('ann', 'bob')),
    endpoint: maybe(fc.constantFrom('/a', '/b')),
    error: maybe(fc.constantFrom('timeout')),
    output: fc.constantFrom(...outputs),
  }),
  score: maybe(fc.integer({ min: 0, max: 8 }).map((n) => n / 8)),
  similarity: maybe(fc.integer({ min: 0, max: 8 }).map((n) => n / 8)),
  format: maybe(fc.boolean()),
  flagged: fc.boolean(),
});

const measures: Measure[] = [
  ...(['errors', 'latency', 'score', 'similarity', 'format', 'refusals', 'hallucination', 'length'] as const),
  ...([
    'input-length',
    'words',
    'tokens',
    'cost',
    'largest',
    'spend',
    'offender',
    'canaries',
    'health',
  ] as const),
];

const NOW = new Date(T0 + SPAN_MS);
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const question = fc
  .record({
    measure: fc.constantFrom(...measures),
    over: fc.oneof(
      fc.record({
        isBaseline: fc.constant(false),
        from: fc.integer({ min: 1, max: 4 * 60 * MINUTE_MS }),
        to: fc.constant(0),
      }),
      fc.record({
        isBaseline: fc.constant(false),
        from: fc.constant(7 * DAY_MS),
        to: fc.constant(0),
        newest: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({ isBaseline: fc.constant(true), from: fc.constant(7 * DAY_MS), to: fc.nat(90 * MINUTE_MS) }),
    ),
    wantsOutcomes: fc.boolean(),
    leftOut: fc.array(fc.tuple(fc.nat(8 * DAY_MS), fc.nat(DAY_MS)), { maxLength: 2 }),
  })
  .map(
    ({ measure, over, wantsOutcomes, leftOut }): Question => ({
      ...BOT,
      rule: 'quality.score',
      measure,
      ...over,
      from: ago(over.from),
      to: ago(over.to),
      excluding: leftOut.map(([from, ms]) => ({
        from: ago(from),
        to: new Date(ago(from).getTime() + ms + 1),
      })),
      ...(wantsOutcomes ? { wantsOutcomes } : {}),
    }),
  );

function asCall({ offsetMs, changes }: Sent, number: number): Call {
  const output = changes.output ?? null;
  return call(number, { ...changes, at: new Date(T0 + offsetMs), outputChars: output?.length ?? null });
}

function asCounted(one: Sent, number: number): CountedCall {
  const {
    at,
    latencyMs,
    inputTokens,
    outputTokens,
    outputChars,
    costUsd,
    userId,
    endpoint,
    error,
    input,
    output,
  } = asCall(one, number);
  const { features, leaks } = callInspector(null)({ input, output });
  return {
    ...BOT,
    ...{
      at,
      isSpan: true,
      failed: error !== null,
      latencyMs,
      inputTokens,
      outputTokens,
      outputChars,
      costUsd,
    },
    ...{ userId, endpoint, quality: one.score, judge: one.score === null ? null : 'rubric' },
    ...{ similarity: one.similarity, formatOk: one.format, ...features, safety: leaks },
  };
}

async function send(all: readonly Sent[]): Promise<void> {
  for (const table of ['call', 'call_rollup', 'safety_event', 'setting'] as const)
    await db.deleteFrom(table).execute();
  await saveCalls(db, all.map(asCall));
  await saveEvaluations(
    db,
    all.flatMap((one, i) => [
      ...(one.score === null ? [] : [evaluation(i, { value: one.score })]),
      ...(one.similarity === null
        ? []
        : [evaluation(i, { name: 'semantic_similarity', value: one.similarity })]),
      ...(one.format === null ? [] : [evaluation(i, { name: 'format', value: Number(one.format) })]),
    ]),
  );
  await digestCalls({ db, config: parseConfigFile('', {}), log: createLog('silent') }, NOW);
}

test('calls-in-the-database-and-the-same-calls-in-memory-give-the-same-readings', async () => {
  const calls = fc.uniqueArray(sent, { selector: (one) => one.offsetMs, minLength: 1, maxLength: 150 });
  await fc.assert(
    fc.asyncProperty(calls, fc.array(question, { minLength: 10, maxLength: 30 }), async (all, questions) => {
      await send(all);
      const stored = await callsSource(db).read(questions, NOW);
      const recorded = await recordedCalls(all.map(asCounted)).read(questions, NOW);
      expect(stored).toEqual(recorded);
    }),
    { numRuns: 12 },
  );
});

test('a-window-is-exactly-what-its-calls-say', async () => {
  const calls = fc.uniqueArray(sent, { selector: (one) => one.offsetMs, minLength: 1, maxLength: 150 });
  const lengthMs = fc.oneof(
    fc.integer({ min: 1, max: 2 * MINUTE_MS }),
    fc.integer({ min: 1, max: 60 * MINUTE_MS }),
  );
  await fc.assert(
    fc.asyncProperty(calls, lengthMs, async (all, ms) => {
      await send(all);
      const within = all.map(asCounted).filter((one) => one.at >= ago(ms));
      const reads = await read(['errors', 'score', 'format', 'tokens', 'latency'], ms);
      const scores = within.flatMap((one) => one.quality ?? []);
      const latencies = within.flatMap((one) => one.latencyMs ?? []).sort((a, b) => a - b);
      const n = latencies.length;
      expect(reads.map((reading) => reading.n)).toEqual([
        within.length,
        scores.length,
        within.filter((one) => one.formatOk !== null).length,
        within.filter((one) => one.inputTokens !== null || one.outputTokens !== null).length,
        n,
      ]);
      const failed = within.filter((one) => one.failed).length;
      expect(reads[0]?.value).toBe(within.length === 0 ? null : failed / within.length);
      if (scores.length > 0) {
        expect(reads[1]?.value).toBeCloseTo(
          scores.reduce((sum, score) => sum + score, 0) / scores.length,
          12,
        );
      }
      if (n > 0 && n <= 100) expect(reads[4]?.value).toBe(latencies[Math.ceil(n * 0.99) - 1]);
    }),
    { numRuns: 15 },
  );
});

async function read(asked: readonly Measure[], ms: number): Promise<Reading[]> {
  const questions = asked.map(
    (measure): Question => ({
      ...{ ...BOT, rule: 'quality.score', measure, from: ago(ms), to: NOW, isBaseline: false },
    }),
  );
  const answers = await callsSource(db).read(questions, NOW);
  return answers.map((answer: Answer) => {
    if (answer.kind !== 'reading') throw new Error('no reading');
    return answer.reading;
  });
}
