import type { MilestoneName, RoomMessage, TimelineEvent } from '../../src/postmortem/record.ts';

// Nobody is meant: the people of these records are called by what they do.

export const ONCALL = 'U0ONCALL01';
export const APPROVER = 'U0APPROVE1';
export const LEAD = 'U0LEAD0001';
export const LEGAL = 'U0LEGAL001';
export const PRODUCT = 'U0PRODUCT1';
export const SUPPORT = 'U0SUPPORT1';

export const names: ReadonlyMap<string, string> = new Map([
  [ONCALL, 'oncall'],
  [APPROVER, 'approver'],
  [LEAD, 'engineering-lead'],
  [LEGAL, 'legal'],
  [PRODUCT, 'product'],
  [SUPPORT, 'support-desk'],
]);

/** The times of one record: `at('03:20:54')` is on its day, in UTC. */
export function dayOf(day: string) {
  const at = (time: string) => new Date(`${day}T${time.length === 5 ? `${time}:00` : time}Z`);
  const ts = (time: string) => (at(time).getTime() / 1_000).toFixed(6);
  return {
    at,
    ts,
    milestones: (times: { readonly [name in MilestoneName]?: string }) =>
      Object.entries(times).map(([name, time]) => ({ name: name as MilestoneName, at: at(time) })),
    said: (time: string, userId: string, text: string, more: Partial<RoomMessage> = {}): RoomMessage => ({
      ts: ts(time),
      userId,
      text,
      files: [],
      permalink: `https://example.slack.com/archives/C0INCIDENT/p${ts(time).replace('.', '')}`,
      ...more,
    }),
    event: (time: string, kind: string, text: string, actor?: string): TimelineEvent => ({
      at: at(time),
      kind,
      text,
      actor,
    }),
  };
}
