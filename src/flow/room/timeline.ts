import type { Db } from '../../db/database.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, timelineOf } from '../../incident/incident-store.ts';
import { marksOf, type TimelineMark } from '../../incident/mark-store.ts';
import { messagesOf } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';

/** What a line of the timeline tells for the post-mortem: what went well, badly, or by luck. */
export const LESSONS = ['good', 'bad', 'luck'] as const;
export type Lesson = (typeof LESSONS)[number];

export interface TimelineLine {
  at: Date;
  /** Null: the bot itself. */
  by: string | null;
  text: string;
  /** A message as Slack stores it, with entities and tokens. */
  isMessage: boolean;
  permalink: string | null;
}

export type ReadTimeline =
  | { kind: 'show' }
  | { kind: 'add'; at: Date; text: string; lesson: Lesson | null }
  | { kind: 'wrong'; problem: string };

const DAY_MS = 24 * 60 * 60_000;

/**
 * Reads `TEXT`, `at HH:MM TEXT` or `good | bad | luck TEXT`. A time is in the zone `offsetMinutes` east of UTC and is
 * the last such time that is not after `now`.
 */
export function readTimeline(
  text: string,
  { now, offsetMinutes }: { now: Date; offsetMinutes: number },
): ReadTimeline {
  const said = text.trim();
  if (said === '') return { kind: 'show' };
  const [, hours, minutes, after] = /^at\s+(\d{1,2}):(\d{2})(?:\s+([\s\S]*))?$/i.exec(said) ?? [];
  if (hours !== undefined) {
    if (Number(hours) > 23 || Number(minutes) > 59)
      return { kind: 'wrong', problem: `${hours}:${minutes} is no time; use \`at 02:31 TEXT\`.` };
    if (after === undefined || after.trim() === '')
      return { kind: 'wrong', problem: 'Say what happened then: `at 02:31 TEXT`.' };
  }
  const at = hours === undefined ? now : lastTime(now, Number(hours) * 60 + Number(minutes) - offsetMinutes);
  const rest = (after ?? said).trim();
  const [, word, told] = /^(good|bad|luck)\s+(\S[\s\S]*)$/i.exec(rest) ?? [];
  const lesson = word === undefined ? null : (word.toLowerCase() as Lesson);
  return { kind: 'add', at, text: told ?? rest, lesson };
}

/** The last time that was so many minutes after midnight in UTC. */
function lastTime(now: Date, minutesOfDay: number): Date {
  const midnight = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  const candidate = midnight + (((minutesOfDay % 1440) + 1440) % 1440) * 60_000;
  return new Date(candidate > now.getTime() ? candidate - DAY_MS : candidate);
}

/** Keeps what somebody says about the incident, at the time that it is about. */
export async function addByHand(
  flow: Pick<Flow, 'db'>,
  given: { incident: Incident; by: string; at: Date; text: string; lesson: Lesson | null },
): Promise<void> {
  await addToTimeline(flow.db, {
    incidentId: given.incident.id,
    at: given.at,
    kind: given.lesson ?? 'timeline',
    actor: given.by,
    text: given.text,
    ...(given.lesson === null ? {} : { data: { lesson: given.lesson } }),
  });
}

/** What happened, oldest first: what the bot and people recorded, and the messages that were marked. */
export async function loadTimeline(flow: Pick<Flow, 'db'>, incidentId: number): Promise<TimelineLine[]> {
  const events = await timelineOf(flow.db, incidentId);
  const marked = await markedMessages(flow.db, incidentId);
  const lines: TimelineLine[] = [
    ...events.map(({ at, actor: by, text }) => ({ at, by, text, isMessage: false, permalink: null })),
    ...marked.map(({ saidAt: at, author: by, text, permalink }) => ({
      at,
      by,
      text,
      isMessage: true,
      permalink,
    })),
  ];
  return lines.sort((a, b) => a.at.getTime() - b.at.getTime());
}

export interface MarkedMessage {
  channelId: string;
  ts: string;
  author: string;
  text: string;
  saidAt: Date;
  permalink: string | null;
  /** Which lessons it tells. */
  lessons: Lesson[];
}

/** Each message that is marked, once, as it is now; what was deleted has left the timeline. */
export async function markedMessages(db: Db, incidentId: number): Promise<MarkedMessage[]> {
  const marks = await marksOf(db, incidentId);
  if (marks.length === 0) return [];
  const recorded = new Map(
    (await messagesOf(db, incidentId)).map((row) => [`${row.channel_id} ${row.ts}`, row]),
  );
  const groups = Map.groupBy(marks, (mark) => `${mark.channel_id} ${mark.ts}`);
  return [...groups].flatMap(([key, its]) => {
    const row = recorded.get(key);
    if (row !== undefined && row.deleted_at !== null) return [];
    const [first] = its as [TimelineMark, ...TimelineMark[]];
    return [
      {
        channelId: first.channel_id,
        ts: first.ts,
        author: row?.user_id ?? pick(its, ({ author }) => author) ?? 'unknown',
        text: row?.text ?? pick(its, ({ text }) => text) ?? '(a message that was not recorded)',
        saidAt: first.said_at,
        permalink: pick(its, ({ permalink }) => permalink),
        lessons: LESSONS.filter((lesson) => its.some(({ via }) => via === lesson)),
      },
    ];
  });
}

function pick<T>(items: readonly TimelineMark[], of: (mark: TimelineMark) => T | null): T | null {
  for (const item of items) {
    const value = of(item);
    if (value !== null) return value;
  }
  return null;
}
