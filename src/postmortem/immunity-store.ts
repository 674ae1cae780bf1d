import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type Candidate, candidateKey } from '../mitigation/candidate.ts';
import type { Immunity } from './immunity.ts';

export type ImmunityRun = Row<'immunity_run'>;

interface Asked {
  service: string;
  environment: string;
  candidate: Candidate;
  /** What changed, in words. */
  change: string;
  at: Date;
}

/** Null when the newest run of the service is of this very state: two sources tell of one change. */
export async function askImmunity(tx: Db, asked: Asked): Promise<number | null> {
  const { service, environment, candidate, change, at } = asked;
  const key = candidateKey(candidate);
  const newest = await tx
    .selectFrom('immunity_run')
    .select('state_key')
    .where('service', '=', service)
    .where('environment', '=', environment)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (newest?.state_key === key) return null;
  const state = JSON.stringify(candidate);
  const { id } = await tx
    .insertInto('immunity_run')
    .values({
      service,
      environment,
      state_key: key,
      state,
      change,
      asked_at: at,
      result: null,
      settled_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function findImmunityRun(db: Db, id: number): Promise<ImmunityRun | undefined> {
  return db.selectFrom('immunity_run').selectAll().where('id', '=', id).executeTakeFirst();
}

/** False when it was settled before. */
export async function settleImmunityRun(
  tx: Db,
  { id, result, at }: { id: number; result: Immunity; at: Date },
): Promise<boolean> {
  const settled = await tx
    .updateTable('immunity_run')
    .set({ result: JSON.stringify(result), settled_at: at })
    .where('id', '=', id)
    .where('settled_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return settled !== undefined;
}
