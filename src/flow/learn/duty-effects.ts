import type { NewJob } from '../../db/jobs.ts';
import { roomLane } from '../effects.ts';

export const SHOW_POSTMORTEM = 'show-postmortem';
export const REMIND_OWNER = 'remind-owner';
export const TELL_OWNER = 'tell-postmortem-owner';
export const ARCHIVE_ROOM = 'archive-room';

/** Brings the message about the post-mortem into line with the rows. */
export function showPostmortem(incidentId: number, now: Date): NewJob {
  return { kind: SHOW_POSTMORTEM, payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** Reminds one person, once for each time that it was due. */
export function remindOwner(
  about: { incidentId: number; person: string; isLead: boolean; dueAt: Date },
  now: Date,
): NewJob {
  const { dueAt, ...rest } = about;
  return {
    kind: REMIND_OWNER,
    payload: rest,
    runAt: now,
    dedupeKey: `remind:${about.incidentId}:${about.person}:${dueAt.toISOString()}`,
  };
}

/** Tells whoever it was handed to, behind the message in the room, which names an owner as well. */
export function tellOwner(incidentId: number, now: Date): NewJob {
  return { kind: TELL_OWNER, payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** Behind everything that is still to be said in the room. */
export function archiveRoom(incidentId: number, now: Date): NewJob {
  return { kind: ARCHIVE_ROOM, payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}
