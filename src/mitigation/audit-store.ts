import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import { FIRST_DIGEST } from '../evidence/chain.ts';
import { type AuditEntry, digestOf } from './audit.ts';

/** Any constant will do; it keeps two writers from continuing the chain from the same row. */
const CHAIN_LOCK = 8_412_001;

/** Appends to the audit trail inside the caller's transaction. `data` holds digests and ids, never raw text. */
export async function audit(
  tx: Db,
  entry: { at: Date; actor: string; action: string; subject: string; data?: Record<string, unknown> },
): Promise<void> {
  await sql`select pg_advisory_xact_lock(${CHAIN_LOCK})`.execute(tx);
  const last = await lastEntry(tx);
  const full: AuditEntry = {
    ...entry,
    data: entry.data ?? {},
    seq: (last?.seq ?? 0) + 1,
    previousDigest: last?.digest ?? FIRST_DIGEST,
  };
  await tx
    .insertInto('audit')
    .values({
      seq: full.seq,
      at: full.at,
      actor: full.actor,
      action: full.action,
      subject: full.subject,
      data: JSON.stringify(full.data),
      previous_digest: full.previousDigest,
      digest: digestOf(full),
    })
    .execute();
}

/** A proposal that ended without anybody's decision is on the trail as well. */
export function auditExpiry(
  tx: Db,
  { id, plan_hash: planHash, now }: { id: number; plan_hash: string; now: Date },
): Promise<void> {
  const entry = { action: 'mitigation.expired', subject: `mitigation ${id}`, data: { planHash } };
  return audit(tx, { at: now, actor: 'llm-incident', ...entry });
}

export async function lastEntry(db: Db): Promise<{ seq: number; digest: string } | undefined> {
  return db.selectFrom('audit').select(['seq', 'digest']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
}

export async function digestAt(db: Db, seq: number): Promise<string | null> {
  const row = await db.selectFrom('audit').select('digest').where('seq', '=', seq).executeTakeFirst();
  return row?.digest ?? null;
}

export async function wholeTrail(db: Db): Promise<(AuditEntry & { digest: string })[]> {
  const rows = await db.selectFrom('audit').selectAll().orderBy('seq').execute();
  return rows.map(({ previous_digest, ...row }) => ({ ...row, previousDigest: previous_digest }));
}
