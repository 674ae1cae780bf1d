import { sql } from 'kysely';
import type { Db } from '../db/database.ts';
import type { Answer } from './playbook.ts';

/** One question of the walk, as it was asked and answered; it is printed in the post-mortem. */
export interface RecordedStep {
  id: number;
  symptom: string;
  step: string;
  finding: string | null;
  answer: string | null;
  decidedBy: string | null;
  at: Date;
  /** Edition of the tree that asked. */
  tree: string | null;
}

export interface StepKey {
  incidentId: number;
  symptom: string;
  step: string;
}

const columns = [
  'id',
  'symptom',
  'step',
  'finding',
  'answer',
  'decided_by as decidedBy',
  'at',
  'tree',
] as const;

/** Records that a step was asked, with what the evidence said then; asked again, it changes nothing. */
export async function recordStep(
  db: Db,
  asked: StepKey & { finding: string | null; at: Date; tree?: string },
): Promise<void> {
  const { incidentId, symptom, step, finding, at, tree } = asked;
  await sql`
    insert into decision_step (incident_id, symptom, step, finding, at, tree)
    select ${incidentId}::int, ${symptom}::text, ${step}::text, ${finding}::text, ${at}::timestamptz,
      ${tree ?? null}::text
    where not exists (
      select from decision_step
      where incident_id = ${incidentId}::int and symptom = ${symptom}::text and step = ${step}::text
    )`.execute(db);
}

/** The first answer stands: null when the step was answered before, or never asked. */
export async function answerStep(
  db: Db,
  key: StepKey,
  given: { answer: Answer; decidedBy: string; at: Date },
): Promise<RecordedStep | null> {
  const row = await db
    .updateTable('decision_step')
    .set({ answer: given.answer, decided_by: given.decidedBy, at: given.at })
    .where('incident_id', '=', key.incidentId)
    .where('symptom', '=', key.symptom)
    .where('step', '=', key.step)
    .where('answer', 'is', null)
    .returning(columns)
    .executeTakeFirst();
  return row ?? null;
}

/** Every step that was asked in the incident, in order, open ones included. */
export async function pathOf(db: Db, incidentId: number): Promise<RecordedStep[]> {
  return db
    .selectFrom('decision_step')
    .select(columns)
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .execute();
}
