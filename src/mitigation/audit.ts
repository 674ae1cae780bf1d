import { digestOf as digestOfContent } from '../evidence/digest.ts';

export interface AuditEntry {
  seq: number;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  data: Record<string, unknown>;
  previousDigest: string;
}

export const FIRST_DIGEST = '0'.repeat(64);

/** SHA-256 over the entry's canonical JSON, which holds the digest of the entry before it. */
export function digestOf(entry: AuditEntry): string {
  return digestOfContent({ ...entry, at: entry.at.toISOString() });
}

export type ChainVerdict =
  | { kind: 'intact'; rows: number; head: string }
  | { kind: 'broken'; seq: number; problem: string };

/**
 * The chain is intact when numbers have no gap, each row names the digest of the one before, each digest fits its
 * row, and the head that is kept outside the database is among them.
 */
export function verifyChain(
  rows: readonly (AuditEntry & { digest: string })[],
  outsideHead: { seq: number; digest: string } | null,
): ChainVerdict {
  let previous = FIRST_DIGEST;
  for (const [index, { digest, ...entry }] of rows.entries()) {
    const problem = problemOf(entry, { digest, previous, expectedSeq: index + 1 });
    if (problem !== null) return { kind: 'broken', seq: entry.seq, problem };
    previous = digest;
  }
  if (outsideHead !== null && rows[outsideHead.seq - 1]?.digest !== outsideHead.digest) {
    return {
      kind: 'broken',
      seq: outsideHead.seq,
      problem: 'the head kept outside the database is not in the chain',
    };
  }
  return { kind: 'intact', rows: rows.length, head: previous };
}

function problemOf(
  entry: AuditEntry,
  expected: { digest: string; previous: string; expectedSeq: number },
): string | null {
  if (entry.seq !== expected.expectedSeq)
    return `expected row ${expected.expectedSeq}: a row is missing or moved`;
  if (entry.previousDigest !== expected.previous) return 'does not continue the row before it';
  return digestOf(entry) === expected.digest ? null : 'was altered after it was written';
}
