import { type ChainHead, type ChainRow, type ChainVerdict, checkChain } from '../evidence/chain.ts';
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

/** SHA-256 over the entry's canonical JSON, which holds the digest of the entry before it. */
export function digestOf(entry: AuditEntry): string {
  return digestOfContent({ ...entry, at: entry.at.toISOString() });
}

/** Intact when numbers have no gap and the rest holds that every chain must hold. */
export function verifyChain(
  rows: readonly (AuditEntry & { digest: string })[],
  outsideHead: ChainHead | null,
): ChainVerdict {
  const check = checkChain({ isGapless: true, outsideHead });
  for (const row of rows) check.take(auditLink(row));
  return check.verdict();
}

export function auditLink({ digest, ...entry }: AuditEntry & { digest: string }): ChainRow {
  return { seq: entry.seq, previousDigest: entry.previousDigest, digest, computedDigest: digestOf(entry) };
}
