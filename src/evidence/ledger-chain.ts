import { type ChainRow, FIRST_DIGEST } from './chain.ts';
import { digestOf } from './digest.ts';
import type { LedgerChange } from './ledger.ts';

export interface NewLedgerRow extends LedgerChange {
  service: string;
  environment: string;
  source: string;
  actor: string | null;
  recordedAt: Date;
}

/** A row as the chain holds it. */
export interface ChainedLedgerRow extends NewLedgerRow {
  id: number;
  previousDigest: string;
  digest: string;
}

export const GENESIS = FIRST_DIGEST;

/** SHA-256 over the row's canonical JSON, which holds the digest of the row before it. */
export function ledgerDigest(row: NewLedgerRow, previousDigest: string): string {
  return digestOf({
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
  });
}

export function ledgerLink(row: ChainedLedgerRow): ChainRow {
  const { id, previousDigest, digest } = row;
  return { seq: id, previousDigest, digest, computedDigest: ledgerDigest(row, previousDigest) };
}
