import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident, type timelineOf } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { type QuestionKey, questions } from '../../postmortem/record.ts';
import { refreshCard, writePostmortem } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { LESSONS, type Lesson } from '../room/timeline.ts';
import { showPostmortem } from './duty-effects.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

/** What people write of a post-mortem; the rest of it comes from the record. */
export type Field = 'summary' | 'impact' | QuestionKey | Lesson;
export const FIELDS: readonly Field[] = [
  'summary',
  'impact',
  ...(Object.keys(questions) as QuestionKey[]),
  ...LESSONS,
];

export interface Written {
  readonly text: string;
  readonly by: string;
  readonly at: Date;
}

/** The newest of what people wrote, by field. Policy: it stands over the evidence until it is emptied. */
export function writtenOf(timeline: Timeline): Map<Field, Written> {
  const written = new Map<Field, Written>();
  for (const { kind, data, text, actor, at } of timeline) {
    const field = FIELDS.find((known) => known === data['question']);
    if (kind !== 'answer' || field === undefined) continue;
    if (text.trim() === '') written.delete(field);
    else written.set(field, { text, by: actor ?? 'unknown', at });
  }
  return written;
}

/** Keeps what somebody wrote, each text on record with its author; with `rewrite` the document is written again. */
export async function writeFields(
  flow: Pick<Flow, 'db' | 'clock'>,
  {
    incident,
    by,
    texts,
    rewrite,
  }: { incident: Incident; by: string; texts: ReadonlyMap<Field, string>; rewrite: boolean },
): Promise<void> {
  if (texts.size === 0) return;
  const at = flow.clock.now();
  const incidentId = incident.id;
  await flow.db.transaction().execute(async (tx) => {
    const { status } = (await lockIncident(tx, incidentId)) ?? incident;
    for (const [question, text] of texts)
      await addToTimeline(tx, { incidentId, at, kind: 'answer', actor: by, text, data: { question } });
    const data = Object.fromEntries([...texts].map(([field, text]) => [field, digestOf(text)]));
    await audit(tx, { at, actor: by, action: 'postmortem.written', subject: nameOf(incidentId), data });
    const isOver = status === 'resolved' || status === 'closed';
    await enqueue(tx, [
      ...(isOver && rewrite ? [writePostmortem(incidentId, at)] : []),
      showPostmortem(incidentId, at),
      refreshCard(incidentId, at),
    ]);
  });
}
