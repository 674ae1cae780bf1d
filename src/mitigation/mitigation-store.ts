import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { MitigationStatus, Row, VoteChoice } from '../db/schema.ts';
import type { Plan } from './plan.ts';

export type Mitigation = Row<'mitigation'>;

export async function insertProposal(
  db: Db,
  proposal: { plan: Plan; planHash: string; proposedBy: string; at: Date; expiresAt: Date },
): Promise<Mitigation> {
  return db
    .insertInto('mitigation')
    .values({
      incident_id: proposal.plan.incidentId,
      service: proposal.plan.service,
      environment: proposal.plan.environment,
      plan: JSON.stringify(proposal.plan),
      plan_hash: proposal.planHash,
      status: 'proposed',
      proposed_by: proposal.proposedBy,
      proposed_at: proposal.at,
      expires_at: proposal.expiresAt,
      started_at: null,
      last_sent_at: null,
      applied_at: null,
      settled_at: null,
      prove_by: null,
      outcome: null,
      proof: null,
      lease_owner: null,
      lease_until: null,
      lease_next_at: null,
      lease_asked_for: null,
      kept_by: null,
      kept_reason: null,
      replaced_by: null,
      nudged_at: null,
      confirmed_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findMitigation(db: Db, id: number): Promise<Mitigation | undefined> {
  return db.selectFrom('mitigation').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Reads it for a decision: concurrent decisions wait for this transaction. */
export async function lockMitigation(db: Db, id: number): Promise<Mitigation | undefined> {
  return db.selectFrom('mitigation').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export async function mitigationsOf(db: Db, incidentId: number): Promise<Mitigation[]> {
  return db
    .selectFrom('mitigation')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .execute();
}

export async function mitigationsIn(db: Db, statuses: readonly MitigationStatus[]): Promise<Mitigation[]> {
  return db
    .selectFrom('mitigation')
    .selectAll()
    .where('status', 'in', [...statuses])
    .orderBy('id')
    .execute();
}

/** Keeps the vote. A person has one: approving twice is once, and whoever approved may still reject or run it alone. */
export async function insertVote(
  db: Db,
  vote: {
    mitigationId: number;
    voter: string;
    choice: VoteChoice;
    planHash: string;
    reason?: string | undefined;
    at: Date;
  },
): Promise<void> {
  const { choice, at } = vote;
  const reason = vote.reason === undefined || vote.reason === '' ? null : vote.reason;
  await db
    .insertInto('vote')
    .values({
      mitigation_id: vote.mitigationId,
      voter: vote.voter,
      choice: vote.choice,
      plan_hash: vote.planHash,
      reason,
      at: vote.at,
    })
    .onConflict((conflict) => {
      const twice = conflict.columns(['mitigation_id', 'voter']);
      return choice === 'approve' ? twice.doNothing() : twice.doUpdateSet({ choice, reason, at });
    })
    .execute();
}

/** Adds to a vote the reason that it was given without. */
export async function keepReason(
  db: Db,
  { mitigationId, voter, reason }: { mitigationId: number; voter: string; reason: string },
): Promise<void> {
  await db
    .updateTable('vote')
    .set({ reason })
    .where('mitigation_id', '=', mitigationId)
    .where('voter', '=', voter)
    .where('reason', 'is', null)
    .execute();
}

export async function votesOn(db: Db, mitigationId: number): Promise<Row<'vote'>[]> {
  return db.selectFrom('vote').selectAll().where('mitigation_id', '=', mitigationId).orderBy('at').execute();
}

type Settable =
  | 'started_at'
  | 'applied_at'
  | 'settled_at'
  | 'prove_by'
  | 'outcome'
  | 'lease_owner'
  | 'lease_until'
  | 'lease_next_at'
  | 'confirmed_at';

/** Moves the status when it is still one of `from`; undefined when someone was first. */
export async function moveMitigation(
  db: Db,
  move: {
    id: number;
    from: readonly MitigationStatus[];
    to: MitigationStatus;
    set?: Partial<Pick<Mitigation, Settable>> & { proof?: object };
  },
): Promise<Mitigation | undefined> {
  const { proof, ...set } = move.set ?? {};
  return db
    .updateTable('mitigation')
    .set({ status: move.to, ...set, ...(proof === undefined ? {} : { proof: JSON.stringify(proof) }) })
    .where('id', '=', move.id)
    .where('status', 'in', [...move.from])
    .returningAll()
    .executeTakeFirst();
}

export async function saveProof(db: Db, id: number, proof: object): Promise<void> {
  await db
    .updateTable('mitigation')
    .set({ proof: JSON.stringify(proof) })
    .where('id', '=', id)
    .execute();
}

/**
 * Marks that a request leaves now, unless an earlier one left less than `withinMs` ago on the database's clock:
 * then nothing is marked and the age of that one is returned, in milliseconds. Null: the request may leave.
 */
export async function markSending(tx: Db, id: number, withinMs: number): Promise<number | null> {
  const { rows } = await sql<{ ago: number | null }>`
    select (extract(epoch from clock_timestamp() - last_sent_at) * 1000)::float8 as ago
    from mitigation where id = ${id} for update`.execute(tx);
  const ago = rows[0]?.ago ?? null;
  if (ago !== null && ago < withinMs) return ago;
  await sql`update mitigation set last_sent_at = clock_timestamp() where id = ${id}`.execute(tx);
  return null;
}

/** The last request was answered, or never left: nothing of it can still land. */
export async function clearSending(db: Db, id: number): Promise<void> {
  await db.updateTable('mitigation').set({ last_sent_at: null }).where('id', '=', id).execute();
}

/** Claims the proposals that were made before `proposedBefore` and are open, each once. */
export async function claimUnanswered(
  db: Db,
  { proposedBefore, now }: { proposedBefore: Date; now: Date },
): Promise<Mitigation[]> {
  return db
    .updateTable('mitigation')
    .set({ nudged_at: now })
    .where('status', '=', 'proposed')
    .where('nudged_at', 'is', null)
    .where('proposed_at', '<=', proposedBefore)
    .where('expires_at', '>', now)
    .returningAll()
    .execute();
}

/** Proposals that nobody answered in time, settled as expired. */
export async function expireProposals(db: Db, now: Date): Promise<Mitigation[]> {
  return db
    .updateTable('mitigation')
    .set({ status: 'expired', settled_at: now, outcome: 'Nobody approved it in time.' })
    .where('status', '=', 'proposed')
    .where('expires_at', '<=', now)
    .returningAll()
    .execute();
}
