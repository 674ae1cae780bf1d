import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

/** What is done at its time while an incident is not taken, not contained, still not contained. */
export type LadderStep = 'acknowledge' | 'contain' | 'escalate';

/**
 * A deadline that someone must meet. `lead`: until somebody acknowledges, else the engineering lead is told;
 * `update-lead`: an update that whoever was asked first has not given, else the commander is asked.
 */
export type ClockKind = LadderStep | 'lead' | 'update' | 'update-lead';

export async function startClocks(
  db: Db,
  clocks: { incidentId: number; kind: ClockKind; dueAt: Date }[],
): Promise<void> {
  if (clocks.length === 0) return;
  await db
    .insertInto('clock')
    .values(
      clocks.map((c) => ({ incident_id: c.incidentId, kind: c.kind, due_at: c.dueAt, settled_at: null })),
    )
    .onConflict((conflict) => conflict.columns(['incident_id', 'kind']).doNothing())
    .execute();
}

/** Starts it, or starts it again, whatever became of it before. */
export async function restartClock(
  db: Db,
  { incidentId, kind, dueAt }: { incidentId: number; kind: ClockKind; dueAt: Date },
): Promise<void> {
  const started = { due_at: dueAt, state: 'running' as const, settled_at: null };
  await db
    .insertInto('clock')
    .values({ incident_id: incidentId, kind, ...started })
    .onConflict((conflict) => conflict.columns(['incident_id', 'kind']).doUpdateSet(started))
    .execute();
}

/** Settles running clocks of an incident as met or stopped. */
export async function settleClocks(
  db: Db,
  which: { incidentId: number; kinds: readonly ClockKind[]; state: 'met' | 'stopped'; at: Date },
): Promise<void> {
  await db
    .updateTable('clock')
    .set({ state: which.state, settled_at: which.at })
    .where('incident_id', '=', which.incidentId)
    .where('kind', 'in', [...which.kinds])
    .where('state', '=', 'running')
    .execute();
}

/** Fires every clock that is due, each once over all replicas, and returns them, earliest first. */
export async function fireDueClocks(db: Db, now: Date): Promise<Row<'clock'>[]> {
  const fired = await db
    .updateTable('clock')
    .set({ state: 'fired', settled_at: now })
    .where('state', '=', 'running')
    .where('due_at', '<=', now)
    .returningAll()
    .execute();
  return fired.sort((a, b) => a.due_at.getTime() - b.due_at.getTime());
}

export async function clocksOf(db: Db, incidentId: number): Promise<Row<'clock'>[]> {
  return db.selectFrom('clock').selectAll().where('incident_id', '=', incidentId).orderBy('due_at').execute();
}
