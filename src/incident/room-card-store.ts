import type { Db } from '../db/database.ts';

/** The topic that the room of an incident was last given; null before it has one. */
export async function topicGiven(db: Db, incidentId: number): Promise<string | null> {
  const row = await db
    .selectFrom('room_card')
    .select('topic')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
  return row?.topic ?? null;
}

export async function keepTopic(
  db: Db,
  { incidentId, topic, at }: { incidentId: number; topic: string; at: Date },
): Promise<void> {
  await db
    .insertInto('room_card')
    .values({
      incident_id: incidentId,
      topic,
      drawn_at: at,
      measured: null,
      measured_at: null,
      measured_event: null,
    })
    .onConflict((conflict) => conflict.column('incident_id').doUpdateSet({ topic }))
    .execute();
}

/** What was measured for the card after this entry of the timeline and since then; undefined when it must be again. */
export async function measuredFor(
  db: Db,
  asked: { incidentId: number; event: number; since: Date },
): Promise<Record<string, unknown> | undefined> {
  const row = await db
    .selectFrom('room_card')
    .select('measured')
    .where('incident_id', '=', asked.incidentId)
    .where('measured_event', '=', asked.event)
    .where('measured_at', '>', asked.since)
    .executeTakeFirst();
  return row?.measured ?? undefined;
}

export async function keepMeasured(
  db: Db,
  kept: { incidentId: number; event: number; at: Date; measured: Record<string, unknown> },
): Promise<void> {
  await db
    .updateTable('room_card')
    .set({
      measured: JSON.stringify(kept.measured),
      measured_at: kept.at,
      measured_event: kept.event,
    })
    .where('incident_id', '=', kept.incidentId)
    .execute();
}

/**
 * Claims the cards of incidents whose users are exposed, the longest not drawn first: those younger than `fresh` that
 * were drawn before `fresh.before`, and others drawn before `before`. Each once over all replicas.
 */
export async function claimOldCards(
  db: Db,
  asked: { now: Date; before: Date; fresh: { since: Date; before: Date }; limit: number },
): Promise<number[]> {
  const { now, before, fresh, limit } = asked;
  const old = await db
    .selectFrom('room_card')
    .innerJoin('incident', 'incident.id', 'room_card.incident_id')
    .select('incident_id')
    .where('status', 'in', ['triage', 'open'])
    .where((where) =>
      where.or([
        where('drawn_at', '<=', before),
        where.and([where('created_at', '>=', fresh.since), where('drawn_at', '<=', fresh.before)]),
      ]),
    )
    .orderBy('drawn_at')
    .limit(limit)
    .execute();
  if (old.length === 0) return [];
  const ids = old.map((row) => row.incident_id);
  const claimed = await db
    .updateTable('room_card')
    .set({ drawn_at: now })
    .where('incident_id', 'in', ids)
    .where('drawn_at', '<=', fresh.before)
    .returning('incident_id')
    .execute();
  return claimed.map((row) => row.incident_id);
}
