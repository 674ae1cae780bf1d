import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { type Characteristic, isCharacteristic } from './characteristic.ts';

export interface KeptAnswer {
  question: Characteristic;
  text: string;
  /** Null: the evidence. */
  by: string | null;
  evidence: Record<string, unknown>;
  at: Date;
}

/** Keeps an answer; the same text by the same again is no news. True when it was kept. */
export async function keepAnswer(db: Db, answer: KeptAnswer & { incidentId: number }): Promise<boolean> {
  const { incidentId, question, text, by, evidence, at } = answer;
  const { rows } = await sql<{ id: number }>`
    insert into characteristic (incident_id, question, text, answered_by, evidence, at)
    select ${incidentId}::int, ${question}::text, ${text}::text, ${by}::text, ${JSON.stringify(evidence)}::jsonb, ${at}::timestamptz
    where ${text}::text is distinct from (select text from characteristic
      where incident_id = ${incidentId}::int and question = ${question}::text and answered_by is not distinct from ${by}::text
      order by id desc limit 1)
    returning id`.execute(db);
  return rows.length > 0;
}

/** Every answer of the incident, oldest first. */
export async function answersTo(db: Db, incidentId: number): Promise<KeptAnswer[]> {
  const rows: Row<'characteristic'>[] = await db
    .selectFrom('characteristic')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .execute();
  return rows.flatMap(({ question, text, answered_by: by, evidence, at }) =>
    isCharacteristic(question) ? [{ question, text, by, evidence, at }] : [],
  );
}

/** What counts now for each question: the newest word of a person, else the newest of the evidence; and the latter. */
export interface CountingAnswer {
  counts: KeptAnswer;
  evidence: KeptAnswer | null;
}

/** Policy: a person's newest answer outranks the evidence, which stays beside it. */
export function countingAnswers(kept: readonly KeptAnswer[]): Map<Characteristic, CountingAnswer> {
  const counting = new Map<Characteristic, CountingAnswer>();
  for (const answer of kept) {
    const known = counting.get(answer.question);
    const evidence = answer.by === null ? answer : (known?.evidence ?? null);
    const isOutranked = answer.by === null && known !== undefined && known.counts.by !== null;
    counting.set(answer.question, { counts: isOutranked ? known.counts : answer, evidence });
  }
  return counting;
}
