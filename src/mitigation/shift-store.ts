import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import type { Arms } from './shift-gate.ts';

export type Stage = Omit<Row<'shift_stage'>, 'arms'> & { arms: Arms | null };

const read = (row: Row<'shift_stage'>): Stage => ({ ...row, arms: row.arms as unknown as Arms | null });

export async function stagesOf(db: Db, mitigationId: number): Promise<Stage[]> {
  const rows = await db
    .selectFrom('shift_stage')
    .selectAll()
    .where('mitigation_id', '=', mitigationId)
    .orderBy('number')
    .execute();
  return rows.map(read);
}

/** Begins a stage; false when it was begun before. */
export async function beginStage(
  db: Db,
  stage: { mitigationId: number; number: number; from: number; to: number; isBack: boolean; at: Date },
): Promise<boolean> {
  const { mitigationId, number, from, to, isBack, at } = stage;
  const begun = await db
    .insertInto('shift_stage')
    .values({
      mitigation_id: mitigationId,
      number,
      from_percent: from,
      to_percent: to,
      is_back: isBack,
      status: 'running',
      started_at: at,
      applied_at: null,
      settled_at: null,
      stop_by: null,
      arms: null,
    })
    .onConflict((conflict) => conflict.columns(['mitigation_id', 'number']).doNothing())
    .returning('number')
    .execute();
  return begun.length > 0;
}

/** Moves the stage when it still has that status; undefined when someone was first. */
export async function moveStage(
  db: Db,
  {
    of,
    from,
    to,
    set = {},
  }: {
    of: Pick<Stage, 'mitigation_id' | 'number'>;
    from: Stage['status'];
    to: Stage['status'];
    set?: Partial<Pick<Stage, 'applied_at' | 'settled_at' | 'stop_by'>> & { arms?: Arms };
  },
): Promise<Stage | undefined> {
  const { arms, ...more } = set;
  const moved = await db
    .updateTable('shift_stage')
    .set({ status: to, ...more, ...(arms === undefined ? {} : { arms: JSON.stringify(arms) }) })
    .where('mitigation_id', '=', of.mitigation_id)
    .where('number', '=', of.number)
    .where('status', '=', from)
    .returningAll()
    .executeTakeFirst();
  return moved === undefined ? undefined : read(moved);
}

/** What was seen of both arms while the gate has not decided. */
export async function keepLook(
  db: Db,
  of: Pick<Stage, 'mitigation_id' | 'number'>,
  seen: { arms: Arms; lookedAt: number },
): Promise<void> {
  await db
    .updateTable('shift_stage')
    .set({ arms: JSON.stringify(seen.arms), looked_at: seen.lookedAt })
    .where('mitigation_id', '=', of.mitigation_id)
    .where('number', '=', of.number)
    .where('status', '=', 'gating')
    .execute();
}

/** A stage that is being carried out ends where it is; the run of it sees this. */
export async function askToStop(
  db: Db,
  of: Pick<Stage, 'mitigation_id' | 'number'>,
  by: string,
): Promise<void> {
  await db
    .updateTable('shift_stage')
    .set({ stop_by: by })
    .where('mitigation_id', '=', of.mitigation_id)
    .where('number', '=', of.number)
    .where('status', '=', 'running')
    .execute();
}
