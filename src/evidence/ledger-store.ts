import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type ChainHead, type ChainVerdict, checkChain } from './chain.ts';
import { type ComponentState, REPORTED, SEEN_IN_CALLS, type ServingState } from './ledger.ts';
import {
  type ChainedLedgerRow,
  GENESIS,
  ledgerDigest,
  ledgerLink,
  type NewLedgerRow,
} from './ledger-chain.ts';

export interface LedgerRow extends NewLedgerRow {
  id: number;
  digest: string;
}

interface Of {
  service: string;
  environment: string;
}

const LEDGER_LOCK = 5_120_002;

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
    const digest = ledgerDigest(change, previousDigest);
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

/** The newest row, as it is kept outside the database. */
export async function ledgerHeadRow(db: Db): Promise<ChainHead | undefined> {
  return db
    .selectFrom('ledger')
    .select(['id as seq', 'digest'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function ledgerDigestAt(db: Db, id: number): Promise<string | null> {
  const row = await db.selectFrom('ledger').select('digest').where('id', '=', id).executeTakeFirst();
  return row?.digest ?? null;
}

const CHAIN_PAGE = 1_000;

/** The whole chain, in pages. */
export async function* wholeLedger(db: Db): AsyncIterable<ChainedLedgerRow> {
  let lastId = 0;
  for (;;) {
    const rows = await db
      .selectFrom('ledger')
      .selectAll()
      .where('id', '>', lastId)
      .orderBy('id')
      .limit(CHAIN_PAGE)
      .execute();
    for (const row of rows) yield { ...ledgerRow(row), previousDigest: row.previous_digest };
    lastId = rows.at(-1)?.id ?? lastId;
    if (rows.length < CHAIN_PAGE) return;
  }
}

/** Walks the chain; a cut tail shows only against the head that is kept outside the database. */
export async function verifyLedger(db: Db, outsideHead: ChainHead | null = null): Promise<ChainVerdict> {
  const check = checkChain({ isGapless: false, outsideHead });
  for await (const row of wholeLedger(db)) check.take(ledgerLink(row));
  return check.verdict();
}

/** Calls first, then what targets say, then what was reported. */
const RANK = sql<number>`case when source = ${sql.lit(SEEN_IN_CALLS)} then 2
  when source = ${sql.lit(REPORTED)} or source like ${sql.lit(`${REPORTED}:%`)} then 0 else 1 end`;

/**
 * What was serving at `at`, that moment included. Policy: what calls show outranks what targets say, and that what
 * people report; a component that calls never named is as it was last read or reported. Of rows with one date, the one
 * appended last counts.
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
    .orderBy(RANK, 'desc')
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

/** Rows in the order in which they were appended; hold `lockLedger` so that none is skipped. */
export async function rowsAfter(
  db: Db,
  { afterId, limit }: { afterId: number; limit: number },
): Promise<LedgerRow[]> {
  const rows = await db
    .selectFrom('ledger')
    .selectAll()
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(ledgerRow);
}

/** The newest row of each component that this source told, up to `until` (all, where it is left out). */
export async function newestOf(
  db: Db,
  of: Of & { source: string; until?: Date },
): Promise<Map<string, LedgerRow>> {
  const { until } = of;
  const rows = await db
    .selectFrom('ledger')
    .distinctOn('component')
    .selectAll()
    .where('service', '=', of.service)
    .where('environment', '=', of.environment)
    .where('source', '=', of.source)
    .$if(until !== undefined, (query) => query.where('at', '<=', until as Date))
    .orderBy('component')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return new Map(rows.map((row) => [row.component, ledgerRow(row)]));
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
