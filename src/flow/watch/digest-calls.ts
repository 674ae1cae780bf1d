import { sql } from 'kysely';
import type { Db, Tx } from '../../db/database.ts';
import { readSetting, writeSetting } from '../../db/setting-store.ts';
import { messageOf } from '../../errors.ts';
import type { CallFacts } from '../../sources/call-facts.ts';
import { mergeStats, statsOf } from '../../sources/call-stats.ts';
import { waitForCallWriters } from '../../sources/call-store.ts';
import { countCalls, factsIn } from '../../sources/fact-store.ts';
import {
  type ChangedCall,
  changedCalls,
  safetyVerdicts,
  saveFeatures,
  saveFormats,
  unreadCalls,
} from '../../sources/feature-store.ts';
import { callInspector, eventOf, type Inspected } from '../../sources/inspected-call.ts';
import { lockStale, markStale, type RollupKey, rollupsIn, saveRollups } from '../../sources/rollup-store.ts';
import { noteSafetyEvents, type SafetyEvent } from '../../sources/safety-event-store.ts';
import { HOUR_MS, MINUTE_MS, roundDown, type Stretch } from '../../sources/stretch.ts';
import { type Flow, serviceConfig } from '../flow.ts';

type Digesting = Pick<Flow, 'db' | 'config' | 'log'>;

/** What one digest took in. */
export interface Digested {
  calls: number;
  safetyEvents: SafetyEvent[];
}

const CURSOR = 'digest:calls';
/** One replica at a time; the others then find nothing left to do. */
const DIGEST_LOCK = 5_120_003;
const BATCH_CALLS = 1_000;
const BATCH_MINUTES = 200;
const BATCH_HOURS = 12;
/** So long texts are looked at before everything else has its turn. */
const TURN_MS = 10;

/**
 * Turns what was sent in since the last time into features, formats, safety events and roll-ups. Each step is a
 * transaction that leaves behind what is still to do, so that it can be cut short anywhere and run by several replicas.
 */
export async function digestCalls(flow: Digesting, now: Date): Promise<Digested> {
  const inspect = inspectorFor(flow);
  const digested: Digested = { calls: 0, safetyEvents: [] };
  for (;;) {
    const after = await cursor(flow.db);
    const unread = await unreadCalls(flow.db, { after, limit: BATCH_CALLS });
    if (unread.length === 0) break;
    const inspected = await inspectAll(unread, inspect);
    const until = unread.at(-1)?.changed ?? after;
    const batch = await inDigest(flow.db, (tx) => takeIn(tx, { inspected, until, now }));
    digested.calls += batch.calls;
    digested.safetyEvents.push(...batch.safetyEvents);
  }
  while ((await inDigest(flow.db, (tx) => countMinutes(tx))) === BATCH_MINUTES);
  const wholeSince = new Date(now.getTime() - HOUR_MS);
  while ((await inDigest(flow.db, (tx) => countHours(tx, wholeSince))) === BATCH_HOURS);
  return digested;
}

type Inspect = (call: ChangedCall) => Inspected;

function inspectorFor(flow: Digesting): Inspect {
  const inspectors = new Map<string, ReturnType<typeof callInspector>>();
  return ({ service, id, input, output }) => {
    const inspect = inspectors.get(service) ?? callInspector(serviceConfig(flow, service));
    inspectors.set(service, inspect);
    try {
      return inspect({ input, output });
    } catch (thrown) {
      // Kept without features: the next digest would fail on it again, and on everything after it.
      flow.log.error({ service, call: id, error: messageOf(thrown) }, 'a text could not be inspected');
      return UNREADABLE;
    }
  };
}

const UNREADABLE: Inspected = {
  features: {
    ...{ inputChars: null, refused: null, hedged: null },
    ...{ contradicts: null, unsupported: null, words: null },
  },
  formatOk: null,
  leaks: [],
};

/** Outside of any transaction, for it takes long and must hold up nobody. */
async function inspectAll(calls: readonly ChangedCall[], inspect: Inspect): Promise<Map<number, Inspected>> {
  const inspected = new Map<number, Inspected>();
  let turn = performance.now();
  for (const call of calls) {
    if (!call.isUnread) continue;
    inspected.set(call.id, inspect(call));
    if (performance.now() - turn < TURN_MS) continue;
    await new Promise(setImmediate);
    turn = performance.now();
  }
  return inspected;
}

interface Batch {
  inspected: ReadonlyMap<number, Inspected>;
  until: number;
  now: Date;
}

/** Keeps what the texts show and marks the minutes that changed, up to the first call that arrived meanwhile. */
async function takeIn(tx: Tx, { inspected, until, now }: Batch): Promise<Digested> {
  await waitForCallWriters(tx);
  const after = await cursor(tx);
  const changed = await changedCalls(tx, { after, until });
  const late = changed.findIndex((call) => call.isUnread && !inspected.has(call.id));
  const calls = late === -1 ? changed : changed.slice(0, late);
  const last = calls.at(-1);
  if (last === undefined) return { calls: 0, safetyEvents: [] };
  const read = calls.flatMap((call) => {
    const its = call.isUnread ? inspected.get(call.id) : undefined;
    return its === undefined ? [] : [{ ...its, call }];
  });
  await saveFeatures(
    tx,
    read.map(({ call, features }) => ({ callId: call.id, ...features })),
  );
  await saveFormats(
    tx,
    read.flatMap(({ call, formatOk }) => (formatOk === null ? [] : [{ callId: call.id, formatOk }])),
  );
  const leaked = read.flatMap(({ call, leaks }) =>
    leaks.map(({ rule, kinds }) => safetyEvent(call, { rule, detail: kinds.join(', '), now })),
  );
  const flagged = await flaggedEvents(tx, calls, { after, until: last.changed, now });
  const safetyEvents = await noteSafetyEvents(tx, [...leaked, ...flagged]);
  await markStale(tx, 'minute', calls.map(minuteOf));
  await writeSetting(tx, CURSOR, last.changed);
  return { calls: calls.length, safetyEvents };
}

type Known = Omit<ChangedCall, 'input' | 'output'>;

async function flaggedEvents(
  tx: Tx,
  calls: readonly Known[],
  { after, until, now }: { after: number; until: number; now: Date },
): Promise<SafetyEvent[]> {
  const byId = new Map(calls.map((call) => [call.id, call]));
  const verdicts = await safetyVerdicts(tx, { after, until });
  return verdicts.flatMap((verdict) => {
    const call = byId.get(verdict.callId);
    const event = eventOf(verdict);
    return call === undefined || event === null
      ? []
      : [safetyEvent(call, { rule: event.rule, detail: event.kind, now })];
  });
}

function safetyEvent(call: Known, of: { rule: string; detail: string; now: Date }): SafetyEvent {
  const { service, environment, id, at, userId } = call;
  return { service, environment, rule: of.rule, callId: id, at, notedAt: of.now, userId, detail: of.detail };
}

/** Counts stale minutes from their calls; returns how many. */
async function countMinutes(tx: Tx): Promise<number> {
  const stale = await lockStale(tx, { span: 'minute', until: FAR_FUTURE, limit: BATCH_MINUTES });
  const times = stale.map((key) => ({ ...key, from: key.start, to: key.start + MINUTE_MS }));
  const turns = inTurns(times, await countCalls(tx, times));
  const calls = new Map(stale.map((key): [string, CallFacts[]] => [keyText(key), []]));
  for (const turn of turns) {
    for (const call of await factsIn(tx, turn, { withWords: true })) {
      calls.get(keyText(minuteOf(call)))?.push(call);
    }
    const done = turn.filter((slice) => slice.to === slice.start + MINUTE_MS);
    await saveRollups(
      tx,
      'minute',
      done.map((key) => ({ ...key, stats: statsOf(calls.get(keyText(key)) ?? []) })),
    );
    for (const key of done) calls.delete(keyText(key));
  }
  await markStale(
    tx,
    'hour',
    stale.map((key) => ({ ...key, start: roundDown(key.start, HOUR_MS) })),
  );
  return stale.length;
}

type Slice = RollupKey & Stretch;

/** Minutes, or slices of busy ones, in runs of about as many calls as one turn of the event loop should take in. */
function inTurns(minutes: readonly Slice[], sizes: readonly number[]): Slice[][] {
  const turns: Slice[][] = [];
  let room = 0;
  minutes.forEach((minute, i) => {
    const slices = Math.max(1, Math.ceil((sizes[i] ?? 0) / BATCH_CALLS));
    const size = (sizes[i] ?? 0) / slices;
    for (let slice = 0; slice < slices; slice += 1) {
      if (size > room || turns.length === 0) {
        turns.push([]);
        room = BATCH_CALLS;
      }
      const edge = (at: number) => minute.from + Math.round((at * MINUTE_MS) / slices);
      turns.at(-1)?.push({ ...minute, from: edge(slice), to: edge(slice + 1) });
      room -= size;
    }
  });
  return turns;
}

/** Counts stale hours that are over from their minutes; returns how many. */
async function countHours(tx: Tx, startedBy: Date): Promise<number> {
  const stale = await lockStale(tx, { span: 'hour', until: startedBy, limit: BATCH_HOURS });
  for (const key of stale) {
    const stretches = [{ from: key.start, to: key.start + HOUR_MS }];
    const minutes = await rollupsIn(tx, { ...key, span: 'minute', stretches });
    await saveRollups(tx, 'hour', [{ ...key, stats: mergeStats(minutes.map(({ stats }) => stats)) }]);
  }
  return stale.length;
}

const FAR_FUTURE = new Date('9999-01-01T00:00:00Z');

function minuteOf({
  service,
  environment,
  at,
}: {
  service: string;
  environment: string;
  at: Date;
}): RollupKey {
  return { service, environment, start: roundDown(at.getTime(), MINUTE_MS) };
}

const keyText = ({ service, environment, start }: RollupKey) => JSON.stringify([service, environment, start]);

function inDigest<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${DIGEST_LOCK})`.execute(tx);
    return work(tx);
  });
}

async function cursor(db: Db): Promise<number> {
  const value = await readSetting(db, CURSOR);
  return typeof value === 'number' ? value : 0;
}
