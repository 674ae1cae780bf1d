import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { digestOf } from './digest.ts';
import { type ComponentState, type LedgerChange, SEEN_IN_CALLS, type ServingState } from './ledger.ts';

export interface NewLedgerRow extends LedgerChange {
  service: string;
  environment: string;
  source: string;
  actor: string | null;
  recordedAt: Date;
}

export interface LedgerRow extends NewLedgerRow {
  id: number;
  digest: string;
}

interface Of {
  service: string;
  environment: string;
}

const LEDGER_LOCK = 5_120_002;
const GENESIS = '0'.repeat(64);

/** Serialises writers of the chain until the end of the transaction. */
export async function lockLedger(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LEDGER_LOCK})`.execute(tx);
}

/**
 * Appends to the chain of the whole database; each digest covers its row and the digest before it. Throws
 * unless the caller passes a transaction, for the lock that keeps the chain single ends with it.
 */
export async function appendChanges(db: Db, changes: readonly NewLedgerRow[]): Promise<LedgerRow[]> {
  if (!db.isTransaction)
    throw new Error('appendChanges needs a transaction: the lock on the chain ends with it.');
  if (changes.length === 0) return [];
  await lockLedger(db);
  let previousDigest = await ledgerHead(db);
  const rows: LedgerRow[] = [];
  for (const change of changes) {
    const digest = digestOf(content(change, previousDigest));
    const inserted = await db
      .insertInto('ledger')
      .values({
        service: change.service,
        environment: change.environment,
        component: change.component,
        state: JSON.stringify(change.state),
        previous: change.previous === null ? null : JSON.stringify(change.previous),
        at: change.at,
        source: change.source,
        actor: change.actor,
        recorded_at: change.recordedAt,
        previous_digest: previousDigest,
        digest,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    rows.push({ ...change, id: inserted.id, digest });
    previousDigest = digest;
  }
  return rows;
}

/** The chain's newest digest: keep it outside the database too, for a cut tail shows only against that. */
export async function ledgerHead(db: Db): Promise<string> {
  const newest = await db
    .selectFrom('ledger')
    .select('digest')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.digest ?? GENESIS;
}

const VERIFY_ROWS = 1_000;

/**
 * Walks the chain. Returns the id of the first row that was changed, put in or left behind by a deleted one.
 */
export async function verifyLedger(db: Db): Promise<number | null> {
  let previousDigest = GENESIS;
  let lastId = 0;
  for (;;) {
    const rows = await db
      .selectFrom('ledger')
      .selectAll()
      .where('id', '>', lastId)
      .orderBy('id')
      .limit(VERIFY_ROWS)
      .execute();
    for (const row of rows) {
      const digest = digestOf(content(ledgerRow(row), previousDigest));
      if (row.previous_digest !== previousDigest || row.digest !== digest) return row.id;
      previousDigest = row.digest;
      lastId = row.id;
    }
    if (rows.length < VERIFY_ROWS) return null;
  }
}

function content(row: NewLedgerRow, previousDigest: string): object {
  return {
    service: row.service,
    environment: row.environment,
    component: row.component,
    state: row.state,
    previous: row.previous,
    at: row.at.toISOString(),
    source: row.source,
    actor: row.actor,
    recordedAt: row.recordedAt.toISOString(),
    previousDigest,
  };
}

/**
 * What was serving at `at`, that moment included. Policy: what calls show outranks what people report; a
 * component that calls never named is as it was last reported. Of rows with one date, the one appended last
 * counts.
 */
export async function stateAt(
  db: Db,
  { service, environment, at }: Of & { at: Date },
): Promise<ServingState> {
  const rows = await db
    .selectFrom('ledger')
    .distinctOn('component')
    .select(['component', 'state'])
    .where('service', '=', service)
    .where('environment', '=', environment)
    .where('at', '<=', at)
    .orderBy('component')
    .orderBy(sql`(source = ${SEEN_IN_CALLS})`, 'desc')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.component, row.state]));
}

/** Rows with `since` ≤ time < `until`, oldest first; of one component when it is named. */
export async function rowsOf(
  db: Db,
  of: Of & { since: Date; until: Date; component?: string },
): Promise<LedgerRow[]> {
  const { component } = of;
  const rows = await db
    .selectFrom('ledger')
    .selectAll()
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('at', '>=', of.since)
    .where('at', '<', of.until)
    .$if(component !== undefined, (query) => query.where('component', '=', component ?? ''))
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map(ledgerRow);
}

/** What calls had shown of a component strictly before `before`, and when the ledger first knew it at all. */
export async function seenBefore(
  db: Db,
  of: Of & { component: string; before: Date },
): Promise<{ state: ComponentState; at: Date; firstAt: Date } | null> {
  const seen = db
    .selectFrom('ledger')
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('component', '=', of.component)
    .where('source', '=', SEEN_IN_CALLS)
    .where('at', '<', of.before);
  const newest = await seen
    .select(['state', 'at'])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const oldest = await seen.select('at').orderBy('at').limit(1).executeTakeFirst();
  return newest === undefined || oldest === undefined ? null : { ...newest, firstAt: oldest.at };
}

function ledgerRow(row: Row<'ledger'>): LedgerRow {
  return {
    id: row.id,
    service: row.service,
    environment: row.environment,
    component: row.component,
    state: row.state,
    previous: row.previous,
    at: row.at,
    source: row.source,
    actor: row.actor,
    recordedAt: row.recorded_at,
    digest: row.digest,
  };
}
