import type { Db } from '../db/database.ts';
import { digestOf } from './digest.ts';

/** What is frozen at declaration; what is frozen again at resolution has a name of its own. */
export type EvidenceKind =
  | 'prompt'
  | 'model'
  | 'samples'
  | 'strata'
  | 'drift'
  | 'input-shift'
  | 'changes'
  | `${'prompt' | 'model' | 'samples' | 'strata'}-at-resolve`;

export interface Evidence {
  kind: EvidenceKind;
  /** When it was frozen. */
  at: Date;
  /** Times are ISO 8601 texts in here. */
  data: Record<string, unknown>;
  digest: string;
  /** False when the data are no longer what was frozen. */
  intact: boolean;
}

/** Freezes one kind of evidence. What is frozen already stays as it is; returns false then. */
export async function saveEvidence(
  db: Db,
  evidence: { incidentId: number; kind: EvidenceKind; at: Date; data: Record<string, unknown> },
): Promise<boolean> {
  const data = JSON.stringify(evidence.data);
  const inserted = await db
    .insertInto('evidence')
    .values({
      incident_id: evidence.incidentId,
      kind: evidence.kind,
      at: evidence.at,
      data,
      digest: digestOf(JSON.parse(data)),
    })
    .onConflict((conflict) => conflict.columns(['incident_id', 'kind']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** What was frozen for an incident, by kind. */
export async function evidenceOf(
  db: Db,
  incidentId: number,
): Promise<Partial<Record<EvidenceKind, Evidence>>> {
  const rows = await db.selectFrom('evidence').selectAll().where('incident_id', '=', incidentId).execute();
  const entries = rows.map(({ kind, at, data, digest }): [EvidenceKind, Evidence] => {
    const known = kind as EvidenceKind;
    return [known, { kind: known, at, data, digest, intact: digestOf(data) === digest }];
  });
  return Object.fromEntries(entries);
}
