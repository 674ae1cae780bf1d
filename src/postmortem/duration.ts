import { formatDuration } from 'date-fns';
import type { Milestone, MilestoneName } from './record.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A length of time in words with its two largest units: `1 hour 5 minutes`, `45 seconds`, `0 seconds`. */
export function inWords(ms: number): string {
  const all = Math.max(0, Math.round(ms / secondMs)) * secondMs;
  const days = Math.floor(all / dayMs);
  const hours = Math.floor((all % dayMs) / hourMs);
  const minutes = Math.floor((all % hourMs) / minuteMs);
  const seconds = Math.floor((all % minuteMs) / secondMs);
  if (all < secondMs) return '0 seconds';
  if (days > 0) return formatDuration({ days, hours });
  if (hours > 0) return formatDuration({ hours, minutes });
  return formatDuration({ minutes, seconds });
}

// Detection counts from the start; everything after it counts from the moment somebody or something knew.
const spans = [
  { label: 'Time to detect', from: 'started', to: 'detected' },
  { label: 'Time to acknowledge', from: 'detected', to: 'acknowledged' },
  { label: 'Time to contain', from: 'detected', to: 'contained' },
  { label: 'Time to mitigate', from: 'detected', to: 'mitigated' },
  { label: 'Time to resolve', from: 'detected', to: 'resolved' },
] as const satisfies readonly { label: string; from: MilestoneName; to: MilestoneName }[];

export interface Span {
  readonly label: string;
  /** Milliseconds; undefined when a milestone is missing, not a date, or out of order. */
  readonly ms: number | undefined;
}

/** How long each stage took. An incident that nothing detected counts from its declaration. */
export function durations(milestones: readonly Milestone[]): Span[] {
  return spans.map(({ label, from, to }) => {
    const start = from === 'started' ? milestoneAt(milestones, from) : knownAt(milestones);
    const ms = (milestoneAt(milestones, to)?.getTime() ?? Number.NaN) - (start?.getTime() ?? Number.NaN);
    return { label, ms: ms >= 0 ? ms : undefined };
  });
}

function knownAt(milestones: readonly Milestone[]): Date | undefined {
  return milestoneAt(milestones, 'detected') ?? milestoneAt(milestones, 'declared');
}

/** When a milestone was reached first; undefined when it was not. */
export function milestoneAt(milestones: readonly Milestone[], name: MilestoneName): Date | undefined {
  return milestones.find((milestone) => milestone.name === name)?.at;
}
