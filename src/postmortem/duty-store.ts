import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type Duty = Row<'postmortem_duty'>;
export type ArchiveStep = NonNullable<Duty['archive_step']>;

/** Somebody must write it now; `chosenBy` is who said so, null: nobody was asked. */
export async function startDuty(
  tx: Db,
  duty: { incidentId: number; owner: string | null; chosenBy: string | null; dueAt: Date; nextAt: Date },
): Promise<void> {
  await tx
    .insertInto('postmortem_duty')
    .values({
      incident_id: duty.incidentId,
      owner: duty.owner,
      chosen_by: duty.chosenBy,
      told: null,
      due_at: duty.dueAt,
      next_at: duty.nextAt,
      archive_step: null,
      archive_at: null,
    })
    .onConflict((conflict) => conflict.column('incident_id').doNothing())
    .execute();
}

export async function findDuty(db: Db, incidentId: number): Promise<Duty | undefined> {
  return db
    .selectFrom('postmortem_duty')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .executeTakeFirst();
}

/** Undefined where that person had it already. */
export async function setDutyOwner(
  tx: Db,
  { incidentId, owner, by }: { incidentId: number; owner: string; by: string },
): Promise<Duty | undefined> {
  return tx
    .updateTable('postmortem_duty')
    .set({ owner, chosen_by: by })
    .where('incident_id', '=', incidentId)
    .where((where) => where.or([where('owner', 'is', null), where('owner', '!=', owner)]))
    .returningAll()
    .executeTakeFirst();
}

/** True when that owner had not been told before. */
export async function markTold(db: Db, incidentId: number, owner: string): Promise<boolean> {
  const told = await db
    .updateTable('postmortem_duty')
    .set({ told: owner })
    .where('incident_id', '=', incidentId)
    .where('owner', '=', owner)
    .where((where) => where.or([where('told', 'is', null), where('told', '!=', owner)]))
    .returning('incident_id')
    .executeTakeFirst();
  return told !== undefined;
}

export async function dueReminders(db: Db, now: Date): Promise<Duty[]> {
  return db
    .selectFrom('postmortem_duty')
    .selectAll()
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .execute();
}

/** Takes the reminder that was due at `from`; false where another replica was first. */
export async function takeReminder(
  tx: Db,
  { incidentId, from, nextAt }: { incidentId: number; from: Date; nextAt: Date | null },
): Promise<boolean> {
  const taken = await tx
    .updateTable('postmortem_duty')
    .set({ next_at: nextAt })
    .where('incident_id', '=', incidentId)
    .where('next_at', '=', from)
    .returning('incident_id')
    .executeTakeFirst();
  return taken !== undefined;
}

/** Sets when the next reminder comes; null: never. */
export async function setNextReminder(tx: Db, incidentId: number, nextAt: Date | null): Promise<void> {
  await tx
    .updateTable('postmortem_duty')
    .set({ next_at: nextAt })
    .where('incident_id', '=', incidentId)
    .execute();
}

/** Of incidents that are resolved and not closed, with what App Home shows. */
export async function openDuties(
  db: Db,
): Promise<
  (Pick<Duty, 'incident_id' | 'owner' | 'due_at'> &
    Pick<Row<'incident'>, 'title' | 'private' | 'channel_id'>)[]
> {
  return db
    .selectFrom('postmortem_duty')
    .innerJoin('incident', 'incident.id', 'postmortem_duty.incident_id')
    .select(['incident_id', 'owner', 'due_at', 'title', 'private', 'channel_id'])
    .where('status', '=', 'resolved')
    .execute();
}

/** Moves the archiving on when it is still at one of `from`; undefined when somebody was first. */
export async function moveArchive(
  tx: Db,
  move: {
    incidentId: number;
    from: readonly (ArchiveStep | null)[];
    to: ArchiveStep;
    at: Date | null;
  },
): Promise<Duty | undefined> {
  const steps = move.from.filter((step) => step !== null);
  return tx
    .updateTable('postmortem_duty')
    .set({ archive_step: move.to, archive_at: move.at })
    .where('incident_id', '=', move.incidentId)
    .where((where) =>
      where.or([
        ...(move.from.includes(null) ? [where('archive_step', 'is', null)] : []),
        ...(steps.length === 0 ? [] : [where('archive_step', 'in', steps)]),
      ]),
    )
    .returningAll()
    .executeTakeFirst();
}

/** Rooms whose next step of archiving is due. */
export async function dueArchives(db: Db, now: Date): Promise<Duty[]> {
  return db
    .selectFrom('postmortem_duty')
    .selectAll()
    .where('archive_at', '<=', now)
    .where('archive_step', 'in', ['asked', 'announced', 'writing'])
    .orderBy('archive_at')
    .execute();
}

/** Nothing can be read or said in its room any more. */
export async function isArchived(db: Db, incidentId: number): Promise<boolean> {
  return (await findDuty(db, incidentId))?.archive_step === 'archived';
}
