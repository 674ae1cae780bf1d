/** What is written above the field at a moment. */
export interface MarkLabel {
  at: Date;
  text: string;
  /** Lines are counted upwards from the field. */
  line: number;
  /** It ends at its moment instead of beginning there. */
  isLeft: boolean;
}

const MOST_LINES = 4;
/** Moments closer than this share of the time shown are one label. */
const CLOSE = 0.03;
/** A letter as a share of the narrowest field. */
const LETTER = 0.02;
const DAY_MS = 86_400_000;

type Timed = readonly { at: Date }[];

/** Labels of moments in order of time: close ones in one, neighbours on different lines, none beyond the field. */
export function markLabels(marks: readonly { at: Date; label: string }[], points: Timed): MarkLabel[] {
  const { from, spanMs } = shown([...points, ...marks]);
  const groups: { at: Date; labels: string[] }[] = [];
  for (const { at, label } of marks.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
    const last = groups.at(-1);
    if (last !== undefined && at.getTime() - last.at.getTime() <= CLOSE * spanMs) last.labels.push(label);
    else groups.push({ at, labels: [label] });
  }
  return groups.map(({ at, labels }, index) => {
    const text = [...new Set(labels)].join(', ');
    const end = (at.getTime() - from) / Math.max(spanMs, 1) + text.length * LETTER;
    return { at, text, line: index % MOST_LINES, isLeft: end > 1 };
  });
}

/** The axis of time: hours within a day, whose date is its title; dates from a few days on. UTC. */
export function timeAxis(points: Timed, widthPx: number): object {
  const { from, spanMs } = shown(points);
  const tickCount = Math.max(3, Math.round(widthPx / 75));
  const isOneDay = Math.floor(from / DAY_MS) === Math.floor((from + spanMs) / DAY_MS);
  const date = new Date(from).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  });
  const look = { labelOverlap: true, labelFlush: true, tickCount };
  if (isOneDay) return { ...look, title: `UTC, ${date}`, format: '%H:%M' };
  if (spanMs < 3 * DAY_MS) return { ...look, title: 'UTC', format: '%-d %b %H:%M' };
  const step = Math.ceil(spanMs / DAY_MS / tickCount);
  return { ...look, title: 'UTC', format: '%-d %b', tickCount: { interval: 'day', step } };
}

const MARGIN = 0.08;

/** From the lowest to the highest of all lines, with a margin for their names; never below zero without cause. */
export function valuesShown(
  points: readonly { value: number; threshold: number | null; baseline?: number | null }[],
): [number, number] {
  const values = points.flatMap(({ value, threshold, baseline = null }) =>
    [value, threshold, baseline].filter((one) => one !== null),
  );
  if (values.length === 0) return [0, 1];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const margin = high > low ? (high - low) * MARGIN : Math.abs(high) * MARGIN || 1;
  return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin];
}

function shown(points: Timed): { from: number; spanMs: number } {
  const times = points.map(({ at }) => at.getTime());
  const from = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const to = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return times.length === 0 ? { from: 0, spanMs: 0 } : { from, spanMs: to - from };
}

/** Lines of at most so many letters, broken between words; a longer word keeps its line. */
export function wrapped(text: string, mostLetters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 1 <= mostLetters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
