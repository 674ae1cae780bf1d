import type { Db } from '../db/database.ts';

/** Notes an id that a sender gave to a change; false when it was noted before. */
export async function noteReported(
  db: Db,
  reported: { service: string; environment: string; id: string; receivedAt: Date },
): Promise<boolean> {
  const row = await db
    .insertInto('reported_change')
    .values({
      service: reported.service,
      environment: reported.environment,
      id: reported.id,
      received_at: reported.receivedAt,
    })
    .onConflict((conflict) => conflict.columns(['service', 'environment', 'id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
