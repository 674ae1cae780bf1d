import type { NewJob } from '../db/jobs.ts';
import type { PagePurpose } from '../incident/page-store.ts';

/** The jobs that follow from a change of state. A room's messages leave in order; pages do not wait for Slack. */
export const roomLane = (incidentId: number) => `room:${incidentId}`;
const pageLane = (incidentId: number) => `page:${incidentId}`;

export function openRoom(
  incidentId: number,
  now: Date,
  announceTo?: { channelId: string; userId: string },
): NewJob {
  return {
    kind: 'open-room',
    payload: { incidentId, ...(announceTo === undefined ? {} : { announceTo }) },
    runAt: now,
    lane: roomLane(incidentId),
    dedupeKey: `open-room:${incidentId}`,
  };
}

/** Compares the requests with those before; in no lane, because nothing waits for it. */
export function freezeInputs(incidentId: number, now: Date): NewJob {
  return {
    kind: 'freeze-inputs',
    payload: { incidentId },
    runAt: now,
    dedupeKey: `freeze-inputs:${incidentId}`,
  };
}

export function refreshCard(incidentId: number, now: Date): NewJob {
  return { kind: 'refresh-card', payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/**
 * A message of the bot's. With `mention` it is top-level and pushes those people's phones, unless it is `inThread`; else
 * it is in the thread of the card, unless it is `aloud`: in the room, where it pushes none. `room`: another one that it leads to.
 */
export function notice(
  incidentId: number,
  now: Date,
  said: { text: string; mention?: string[]; aloud?: boolean; inThread?: boolean; room?: string },
): NewJob {
  return { kind: 'notice', payload: { incidentId, ...said }, runAt: now, lane: roomLane(incidentId) };
}

export function showProposal(incidentId: number, mitigationId: number, now: Date): NewJob {
  return {
    kind: 'show-proposal',
    payload: { incidentId, mitigationId },
    runAt: now,
    lane: roomLane(incidentId),
  };
}

export function showReceipt(incidentId: number, mitigationId: number, now: Date): NewJob {
  return {
    kind: 'show-receipt',
    payload: { incidentId, mitigationId },
    runAt: now,
    lane: roomLane(incidentId),
  };
}

/** Asks the owner of a lease that has ended, or edits what was asked. */
export function showLease(incidentId: number, mitigationId: number, now: Date): NewJob {
  return {
    kind: 'show-lease',
    payload: { incidentId, mitigationId },
    runAt: now,
    lane: roomLane(incidentId),
  };
}

export function showTree(incidentId: number, symptom: string | null, now: Date): NewJob {
  return { kind: 'show-tree', payload: { incidentId, symptom }, runAt: now, lane: roomLane(incidentId) };
}

/** The picture of a symptom's branch, or of the whole tree. */
export function drawTree(incidentId: number, symptom: string | null, now: Date): NewJob {
  return { kind: 'draw-tree', payload: { incidentId, symptom }, runAt: now, lane: roomLane(incidentId) };
}

/** The five questions with what answers them now. */
export function showCharacteristics(incidentId: number, now: Date): NewJob {
  return {
    kind: 'show-characteristics',
    payload: { incidentId },
    runAt: now,
    lane: roomLane(incidentId),
  };
}

/** Sends three failing calls to what is served now. In no lane of the room's: nothing waits for a model. */
export function reproduce(incidentId: number, now: Date): NewJob {
  return { kind: 'reproduce', payload: { incidentId }, runAt: now, lane: `reproduce:${incidentId}` };
}

export function page(incidentId: number, purpose: PagePurpose, now: Date): NewJob {
  return {
    kind: 'page',
    payload: { incidentId, purpose },
    runAt: now,
    lane: pageLane(incidentId),
  };
}

/** Lets people into the room, before what mentions them. */
export function invitePeople(incidentId: number, people: readonly string[], now: Date): NewJob {
  return {
    kind: 'invite-people',
    payload: { incidentId, people },
    runAt: now,
    lane: roomLane(incidentId),
  };
}

/** Pages people by name. Not behind the page itself: who must be woken does not wait for another's receipt. */
export function pagePeople({ incidentId, key }: { incidentId: number; key: string }, now: Date): NewJob {
  return { kind: 'page-people', payload: { incidentId, key }, runAt: now };
}

const LOOK_AFTER_MS = [60_000, 3 * 60_000, 10 * 60_000];
export const MOST_LOOKS = LOOK_AFTER_MS.length;

/** Looks whom PagerDuty has notified, of the page or (`key`) of people who were called; `look` counts from 1. */
export function lookAtNotifications(
  about: { incidentId: number; key?: string; look: number },
  since: Date,
): NewJob {
  const runAt = new Date(since.getTime() + (LOOK_AFTER_MS[about.look - 1] ?? 0));
  return { kind: 'look-at-notifications', payload: { ...about, since: since.toISOString() }, runAt };
}

export function prioritisePage(incidentId: number, now: Date): NewJob {
  return { kind: 'prioritise-page', payload: { incidentId }, runAt: now, lane: pageLane(incidentId) };
}

/** Hands the page over; `origin` names the command, which does it once. */
export function reassignPage(
  asked: { incidentId: number; people: readonly string[]; by: string; origin: string },
  now: Date,
): NewJob {
  return {
    kind: 'reassign-page',
    payload: asked,
    runAt: now,
    lane: pageLane(asked.incidentId),
    dedupeKey: `reassign-page:${asked.incidentId}:${asked.origin}`,
  };
}

/** Writes what somebody noted in the room into PagerDuty, once. */
export function mirrorNote(
  note: { incidentId: number; text: string; by: string; origin: string },
  now: Date,
): NewJob {
  return {
    kind: 'mirror-note',
    payload: note,
    runAt: now,
    dedupeKey: `mirror-note:${note.incidentId}:${note.origin}`,
  };
}

/** A note on an adopted page, said once. In no lane: neither the room nor the page waits for it. */
export function noteOnPage(
  { incidentId, purpose, pagerdutyId }: { incidentId: number; purpose: PagePurpose; pagerdutyId: string },
  now: Date,
): NewJob {
  return {
    kind: 'note-on-page',
    payload: { incidentId, purpose },
    runAt: now,
    dedupeKey: `note-on-page:${incidentId}:${pagerdutyId}`,
  };
}

export function settlePages(incidentId: number, to: 'acknowledged' | 'resolved', now: Date): NewJob {
  return {
    kind: 'settle-pages',
    payload: { incidentId, to },
    runAt: now,
    lane: pageLane(incidentId),
    dedupeKey: `settle-pages:${incidentId}:${to}`,
  };
}

export function runMitigation(
  mitigation: { id: number; service: string; environment: string },
  now: Date,
): NewJob {
  return {
    kind: 'run-mitigation',
    payload: { mitigationId: mitigation.id },
    runAt: now,
    lane: `target:${mitigation.environment}/${mitigation.service}`,
    dedupeKey: `run-mitigation:${mitigation.id}`,
  };
}

/** Once for each time that the rule begins to fire. */
export function throttleOffender(
  incidentId: number,
  found: { rule: string; offender: string },
  now: Date,
): NewJob {
  return {
    kind: 'throttle-offender',
    payload: { incidentId, ...found },
    runAt: now,
    dedupeKey: `throttle-offender:${incidentId}:${found.rule}:${now.toISOString()}`,
  };
}

export function runStage(
  mitigation: { id: number; service: string; environment: string },
  number: number,
  now: Date,
): NewJob {
  return {
    kind: 'run-stage',
    payload: { mitigationId: mitigation.id, number },
    runAt: now,
    lane: `target:${mitigation.environment}/${mitigation.service}`,
    dedupeKey: `run-stage:${mitigation.id}:${number}`,
  };
}

/** `quiet`: only what is kept is brought up to date; the room has read it already. */
export function writePostmortem(incidentId: number, now: Date, { quiet = false } = {}): NewJob {
  return {
    kind: 'write-postmortem',
    payload: { incidentId, readFrom: now.toISOString(), quiet },
    runAt: now,
    lane: `postmortem:${incidentId}`,
  };
}

export function publishPostmortem(incidentId: number, now: Date): NewJob {
  return { kind: 'publish-postmortem', payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** A line in the ops channel: what is wrong with the bot itself, and what is not worth a room. Said once per key. */
export function tellOps(said: { key: string; text: string; mention?: string[] }, now: Date): NewJob {
  return { kind: 'tell-ops', payload: said, runAt: now, lane: 'ops', dedupeKey: `ops:${said.key}` };
}
