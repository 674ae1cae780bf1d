import type { Db } from '../../db/database.ts';
import type { timelineOf } from '../../incident/incident-store.ts';
import type { Lesson } from '../../postmortem/record.ts';
import { LESSONS, markedMessages } from '../room/timeline.ts';
import { writtenOf } from './written-fields.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

/**
 * What went well, badly or by luck: what was said in the timeline, each line of what was written in the form, and the
 * messages that bear one of its reactions, as they are now.
 */
export async function lessonsOf(db: Db, incidentId: number, timeline: Timeline): Promise<Lesson[]> {
  const written = writtenOf(timeline);
  const marked = await markedMessages(db, incidentId);
  return LESSONS.flatMap((kind): Lesson[] => {
    const form = written.get(kind);
    return [
      ...timeline
        .filter((entry) => entry.kind === kind)
        .map(({ text, actor }) => ({ kind, text, by: actor ?? 'unknown' })),
      ...linesOf(form?.text ?? '').map((text) => ({ kind, text, by: form?.by ?? 'unknown' })),
      ...marked
        .filter(({ lessons }) => lessons.includes(kind))
        .map(({ text, author, permalink }) => ({
          kind,
          text,
          by: author,
          permalink: permalink ?? undefined,
        })),
    ];
  });
}

/** One lesson a line; the mark of a list before it is left out. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/^\s*(?:[-*•]\s+)?/, '').trim())
    .filter((line) => line !== '');
