import type { Db } from '../db/database.ts';
import {
  callsAfter,
  callsBefore,
  callsFrom,
  type ServedBy,
  type ServedCall,
} from '../sources/call-sample-store.ts';
import { waitForCallWriters } from '../sources/call-store.ts';
import {
  type ComponentState,
  componentsOf,
  corrections,
  isSampling,
  keyOf,
  type LedgerChange,
  type Observed,
  observeCalls,
  SEEN_IN_CALLS,
  servedBy,
  WINDOW_CALLS,
} from './ledger.ts';
import { appendChanges, type LedgerRow, lockLedger, rowsOf, seenBefore } from './ledger-store.ts';

const FRESH_CALLS = 5_000;
const MAX_FRESH_PAGES = 20;
const REPLAY_CALLS = 2_000;
/** A mix that flips with every few calls leads back and back; then an approximate start must do. */
const MAX_STEPS_BACK = 20;

interface Of {
  service: string;
  environment: string;
}

interface About extends Of {
  component: string;
  by: ServedBy;
}

/**
 * Brings the ledger up to the calls that have arrived; a late one is dated where it belongs, and rows that it
 * proves wrong are corrected by newer ones. Needs a transaction. `caughtUp` is false when more calls wait for
 * a next turn.
 */
export async function observe(
  db: Db,
  { service, environment, recordedAt }: Of & { recordedAt: Date },
): Promise<{ appended: LedgerRow[]; caughtUp: boolean }> {
  await lockLedger(db);
  await waitForCallWriters(db);
  const of = { service, environment };
  const key = `ledger:${environment}:${service}`;
  const appended: LedgerRow[] = [];
  let afterId = await cursorAt(db, key);
  for (let page = 0; page < MAX_FRESH_PAGES; page += 1) {
    const fresh = await callsAfter(db, { ...of, afterId, limit: FRESH_CALLS });
    for (const [component, calls] of byComponent(fresh)) {
      const about = { ...of, component, by: servedBy(component) };
      appended.push(...(await observeComponent(db, about, { calls, recordedAt })));
    }
    afterId = fresh.at(-1)?.id ?? afterId;
    if (fresh.length > 0) await moveCursor(db, key, afterId);
    if (fresh.length < FRESH_CALLS) return { appended, caughtUp: true };
  }
  return { appended, caughtUp: false };
}

async function cursorAt(db: Db, key: string): Promise<number> {
  const setting = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst();
  return typeof setting?.value === 'number' ? setting.value : 0;
}

async function moveCursor(db: Db, key: string, afterId: number): Promise<void> {
  const value = JSON.stringify(afterId);
  await db
    .insertInto('setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

function byComponent(calls: ServedCall[]): Map<string, ServedCall[]> {
  const groups = new Map<string, ServedCall[]>();
  for (const call of calls) {
    for (const [component] of componentsOf(call)) {
      const group = groups.get(component);
      if (group === undefined) groups.set(component, [call]);
      else group.push(call);
    }
  }
  for (const group of groups.values()) group.sort(inTime);
  return groups;
}

function inTime(a: ServedCall, b: ServedCall): number {
  return a.at.getTime() - b.at.getTime() || a.id - b.id;
}

async function observeComponent(
  db: Db,
  about: About,
  { calls, recordedAt }: { calls: ServedCall[]; recordedAt: Date },
): Promise<LedgerRow[]> {
  const appended: LedgerRow[] = [];
  let rest = calls;
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    const start = await steadyStart(db, about, first.at);
    const replay = await replayFrom(db, about, { start, fresh: rest });
    const changes = corrections({ entry: start.observed.current, ...replay });
    const rows = [];
    for (const change of changes) {
      const previous = change.previous ?? (await absentBefore(db, about, change));
      rows.push({ ...change, ...about, previous, source: SEEN_IN_CALLS, actor: null, recordedAt });
    }
    appended.push(...(await appendChanges(db, rows)));
    rest = replay.rest;
  }
  return appended;
}

/**
 * A component that joins a service that was known already is a change from nothing; all nulls say "not
 * served". Parameters that a service begins to send were in force before.
 */
async function absentBefore(db: Db, of: About, { at, state }: { at: Date; state: ComponentState }) {
  if (isSampling(of.component)) return null;
  const earlier = await rowsExistBefore(db, of, at);
  return earlier ? Object.fromEntries(Object.keys(state).map((key) => [key, null])) : null;
}

async function rowsExistBefore(db: Db, { service, environment }: Of, at: Date): Promise<boolean> {
  const row = await db
    .selectFrom('ledger')
    .select('id')
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('source', '=', SEEN_IN_CALLS)
    .where('at', '<', at)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

interface Start {
  from: Date;
  observed: Observed;
}

/**
 * The latest time up to `at` where the recorded state is also the decided one: changes are dated back by up
 * to 20 calls, so none may be dated within the 20 calls before it. The beginning of the component's history
 * always is one.
 */
async function steadyStart(db: Db, about: About, at: Date): Promise<Start> {
  let from = at;
  for (let step = 0; ; step += 1) {
    const seen = await seenBefore(db, { ...about, before: from });
    if (seen === null) return { from, observed: { current: null, since: null, window: [] } };
    const before = await callsBefore(db, {
      ...about,
      before: from,
      notBefore: seen.firstAt,
      limit: WINDOW_CALLS,
    });
    const oldest = before[0];
    if (oldest === undefined || before.length < WINDOW_CALLS) {
      from = seen.firstAt;
      continue;
    }
    if (seen.at >= oldest.at && step < MAX_STEPS_BACK) {
      from = seen.at;
      continue;
    }
    const window = before.flatMap((call) => sightingOf(call, about.component));
    return { from, observed: { current: seen.state, since: seen.at, window } };
  }
}

function sightingOf(call: ServedCall, component: string): Observed['window'] {
  return componentsOf(call)
    .filter(([name]) => name === component)
    .map(([, state]) => ({ key: keyOf(state), state, at: call.at }));
}

interface Replay {
  replayed: LedgerChange[];
  recorded: LedgerRow[];
  /** Fresh calls that lie further on, beyond a stretch where they change nothing. */
  rest: ServedCall[];
}

/** Observes again from `start` until the fresh calls can have no more effect, or there are no more calls. */
async function replayFrom(
  db: Db,
  about: About,
  { start, fresh }: { start: Start; fresh: ServedCall[] },
): Promise<Replay> {
  const { component } = about;
  const freshIds = new Set(fresh.map((call) => call.id));
  const replayed: LedgerChange[] = [];
  let known = new Map([[component, start.observed]]);
  let last: ServedCall | null = null;
  // Null until the first fresh call: stopping before it would leave them all for a next time, for ever.
  let sinceFresh: number | null = null;
  for (;;) {
    const page: ServedCall[] = await callsFrom(db, {
      ...about,
      from: start.from,
      after: last,
      limit: REPLAY_CALLS,
    });
    const step = observeCalls({ known, calls: page });
    known = step.known;
    replayed.push(...step.changes.filter((change) => change.component === component));
    for (const call of page) {
      if (freshIds.has(call.id)) sinceFresh = 0;
      else if (sinceFresh !== null) sinceFresh += 1;
    }
    last = page.at(-1) ?? last;
    const until = last === null ? start.from : new Date(last.at.getTime() + 1);
    const isEnd = page.length < REPLAY_CALLS;
    const observed = known.get(component) ?? start.observed;
    const isFarOn = sinceFresh !== null && sinceFresh >= WINDOW_CALLS;
    if (isEnd || (isFarOn && (await hasConverged(db, about, { observed, until })))) {
      const rows = await rowsOf(db, { ...about, since: start.from, until: isEnd ? FAR_FUTURE : until });
      const rest = isEnd ? [] : fresh.filter((call) => last !== null && inTime(call, last) > 0);
      return { replayed, recorded: rows.filter((row) => row.source === SEEN_IN_CALLS), rest };
    }
  }
}

const FAR_FUTURE = new Date('9999-01-01T00:00:00Z');

/** From here on, what is recorded is what this replay would go on to record. */
async function hasConverged(db: Db, about: About, at: { observed: Observed; until: Date }): Promise<boolean> {
  const seen = await seenBefore(db, { ...about, before: at.until });
  const oldest = at.observed.window[0];
  const { current } = at.observed;
  if (seen === null || oldest === undefined || current === null) return false;
  return seen.at < oldest.at && keyOf(seen.state) === keyOf(current);
}
