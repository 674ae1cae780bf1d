import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { StakeholderAsk, StakeholderRole } from './stakeholder.ts';

/** Records whom an incident asks; who was asked before is not asked anew. */
export async function startAsks(
  db: Db,
  asks: {
    incidentId: number;
    role: StakeholderRole;
    contacts: readonly string[];
    at: Date;
    dueAt: Date;
    nextAt: Date;
  }[],
): Promise<void> {
  if (asks.length === 0) return;
  const rows = asks.map(({ incidentId, role, contacts, at, dueAt, nextAt }) => ({
    incident_id: incidentId,
    role,
    contacts: JSON.stringify(contacts),
    asked: JSON.stringify(contacts.slice(0, 1)),
    asked_at: at,
    due_at: dueAt,
    step: 0,
    next_at: contacts.length === 0 ? null : nextAt,
    acknowledged_by: null,
    acknowledged_at: null,
    breached_at: null,
  }));
  await db
    .insertInto('stakeholder_ask')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['incident_id', 'role']).doNothing())
    .execute();
}

export async function asksOf(db: Db, incidentId: number): Promise<StakeholderAsk[]> {
  return db
    .selectFrom('stakeholder_ask')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('role')
    .execute();
}

/** Asks whose next step is due, earliest first. */
export async function dueAsks(db: Db, now: Date): Promise<StakeholderAsk[]> {
  return db
    .selectFrom('stakeholder_ask')
    .selectAll()
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .orderBy('incident_id')
    .orderBy('role')
    .limit(100)
    .execute();
}

/** Moves an ask one step on; undefined when another replica or an acknowledgement was first. */
export async function advanceAsk(
  db: Db,
  ask: StakeholderAsk,
  to: { asked: readonly string[]; nextAt: Date | null; breachedAt: Date | null },
): Promise<StakeholderAsk | undefined> {
  return db
    .updateTable('stakeholder_ask')
    .set({
      step: ask.step + 1,
      asked: JSON.stringify(to.asked),
      next_at: to.nextAt,
      breached_at: to.breachedAt,
    })
    .where('incident_id', '=', ask.incident_id)
    .where('role', '=', ask.role)
    .where('step', '=', ask.step)
    .where('next_at', 'is not', null)
    .where('acknowledged_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** No further step comes, because the incident was none. */
export async function stopAsk(db: Db, { incident_id, role }: StakeholderAsk): Promise<void> {
  await db
    .updateTable('stakeholder_ask')
    .set({ next_at: null })
    .where('incident_id', '=', incident_id)
    .where('role', '=', role)
    .execute();
}

/** The first who says so; undefined when somebody did before. */
export async function acknowledgeAsk(
  db: Db,
  said: { incidentId: number; role: StakeholderRole; by: string; at: Date },
): Promise<StakeholderAsk | undefined> {
  return db
    .updateTable('stakeholder_ask')
    .set({ acknowledged_by: said.by, acknowledged_at: said.at, next_at: null })
    .where('incident_id', '=', said.incidentId)
    .where('role', '=', said.role)
    .where('acknowledged_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Messages that were posted for an incident under keys that begin so. */
export async function postedUnder(
  db: Db,
  { incidentId, prefix }: { incidentId: number; prefix: string },
): Promise<Row<'posted_message'>[]> {
  const rows = await db
    .selectFrom('posted_message')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('posted_at')
    .execute();
  return rows.filter(({ key }) => key.startsWith(prefix));
}
