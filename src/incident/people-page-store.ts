import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';

export type PeoplePage = Row<'people_page'>;

/** Records that these people are called; false when the same key called somebody before. */
export async function requestPeoplePage(
  db: Db,
  asked: {
    incidentId: number;
    key: string;
    people: readonly string[];
    text: string;
    state: 'pending' | 'skipped';
    outcome: string | null;
    at: Date;
  },
): Promise<boolean> {
  const row = await db
    .insertInto('people_page')
    .values({
      incident_id: asked.incidentId,
      key: asked.key,
      people: JSON.stringify(asked.people),
      text: asked.text,
      state: asked.state,
      requested_at: asked.at,
      settled_at: null,
      outcome: asked.outcome,
      receipt: null,
    })
    .onConflict((conflict) => conflict.columns(['incident_id', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst();
  return row !== undefined;
}

export async function findPeoplePage(
  db: Db,
  { incidentId, key }: { incidentId: number; key: string },
): Promise<PeoplePage | undefined> {
  return db
    .selectFrom('people_page')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .where('key', '=', key)
    .executeTakeFirst();
}

export async function peoplePagesOf(db: Db, incidentId: number): Promise<PeoplePage[]> {
  return db
    .selectFrom('people_page')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('requested_at')
    .execute();
}

/** False when it was settled before. */
export async function settlePeoplePage(
  db: Db,
  settled: {
    incidentId: number;
    key: string;
    state: 'sent' | 'skipped' | 'failed';
    outcome: string;
    receipt: object | null;
    at: Date;
  },
): Promise<boolean> {
  const row = await db
    .updateTable('people_page')
    .set({
      state: settled.state,
      outcome: settled.outcome,
      settled_at: settled.at,
      receipt: settled.receipt === null ? null : JSON.stringify(settled.receipt),
    })
    .where('incident_id', '=', settled.incidentId)
    .where('key', '=', settled.key)
    .where('state', '=', 'pending')
    .returning('key')
    .executeTakeFirst();
  return row !== undefined;
}

export async function keepEmail(
  db: Db,
  { slackId, email, at }: { slackId: string; email: string; at: Date },
): Promise<void> {
  const seen = { email, seen_at: at };
  await db
    .insertInto('person_email')
    .values({ slack_id: slackId, ...seen })
    .onConflict((conflict) => conflict.column('slack_id').doUpdateSet(seen))
    .execute();
}

export async function knownEmail(db: Db, slackId: string): Promise<string | null> {
  const row = await db
    .selectFrom('person_email')
    .select('email')
    .where('slack_id', '=', slackId)
    .executeTakeFirst();
  return row?.email ?? null;
}
