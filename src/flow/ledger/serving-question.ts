/** What somebody wants to know of a service's serving state: now, at one time, or what became different between two. */
export interface ServingQuestion {
  /** Null: the one that is implied. */
  service: string | null;
  times: Date[];
}

export type ReadQuestion =
  | { kind: 'question'; question: ServingQuestion }
  | { kind: 'wrong'; problem: string };

export const SERVING_USAGE =
  'Use `status serving [SERVICE] [TIME] [TIME]`. TIME is `14:02`, `2026-01-05 14:02` (both UTC), `90m`, `6h` or `2d` ago, or `now`.';

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;
const DAY_MS = UNITS_MS.d;
const MOST_TIMES = 2;

/** Reads `[SERVICE] [TIME] [TIME]`; the earlier of two times comes first, whichever was named first. */
export function readServingQuestion(text: string, now: Date): ReadQuestion {
  const words = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  let service: string | null = null;
  const times: Date[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const isOfDay = isDay(word) && isTimeOfDay(words[index + 1]);
    const time = isOfDay ? dated(word, words[index + 1] as string) : readTime(word, now);
    if (isOfDay) index += 1;
    if (time === null && service !== null)
      return { kind: 'wrong', problem: `"${word}" is no time. ${SERVING_USAGE}` };
    if (time === null) service = word;
    else times.push(time);
  }
  if (times.length > MOST_TIMES) return { kind: 'wrong', problem: SERVING_USAGE };
  if (times.some((time) => time > now))
    return { kind: 'wrong', problem: 'What will be served is not known.' };
  return { kind: 'question', question: { service, times: times.sort((a, b) => a.getTime() - b.getTime()) } };
}

const isDay = (word: string) => /^\d{4}-\d{2}-\d{2}$/.test(word);
const isTimeOfDay = (word: string | undefined) => word !== undefined && /^\d{1,2}:\d{2}$/.test(word);

/** Policy: a time of day is the last one that was. Null: not a time. */
function readTime(word: string, now: Date): Date | null {
  if (word === 'now') return now;
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(word) ?? [];
  if (count !== undefined) return new Date(now.getTime() - Number(count) * UNITS_MS[unit as 'm' | 'h' | 'd']);
  if (isTimeOfDay(word)) {
    const today = dated(now.toISOString().slice(0, 10), word);
    return today !== null && today > now ? new Date(today.getTime() - DAY_MS) : today;
  }
  if (isDay(word)) return dated(word, '00:00');
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/.test(word);
  if (!isTime) return null;
  return valid(new Date(/Z$|[+-]\d{2}:\d{2}$/.test(word) ? word : `${word}Z`));
}

function dated(day: string, time: string): Date | null {
  return valid(new Date(`${day}T${time.padStart(5, '0')}:00Z`));
}

function valid(date: Date): Date | null {
  return Number.isNaN(date.getTime()) ? null : date;
}
