import { answersTo, countingAnswers } from '../../decision/characteristic-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { milestonesOf, timelineOf } from '../../incident/incident-store.ts';
import { findDuty } from '../../postmortem/duty-store.ts';
import type { QuestionKey } from '../../postmortem/record.ts';
import type { Flow } from '../flow.ts';
import { maySee } from '../stakeholders/may-see.ts';
import { answersOf } from './postmortem-answers.ts';
import { FIELDS, type Field, writtenOf } from './written-fields.ts';

/** What is in a field now, raw; `by` is a Slack id, `evidence`, or null where it is empty. */
export interface FieldNow {
  field: Field;
  text: string;
  by: string | null;
}

/** Policy: whoever may see the incident may write its post-mortem, and so may its owner. */
export async function mayWrite(
  flow: Pick<Flow, 'db' | 'chat' | 'log' | 'config'>,
  incident: Incident,
  person: string,
): Promise<boolean> {
  const duty = await findDuty(flow.db, incident.id);
  return duty?.owner === person || (await maySee(flow, incident, person));
}

/** What is there already: what people wrote, else what the evidence proposes. */
export async function fieldsNow(flow: Pick<Flow, 'db'>, incident: Incident): Promise<FieldNow[]> {
  const timeline = await timelineOf(flow.db, incident.id);
  const milestones = await milestonesOf(flow.db, incident.id);
  const characteristics = countingAnswers(await answersTo(flow.db, incident.id));
  const answers = answersOf(timeline, { incident, milestones, characteristics });
  const written = writtenOf(timeline);
  return FIELDS.map((field) => {
    const found = written.get(field) ?? answers[field as QuestionKey];
    return { field, text: found?.text ?? '', by: found?.by ?? null };
  });
}
