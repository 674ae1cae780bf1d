import type { NewJob } from '../db/jobs.ts';
import type { PagePurpose } from '../incident/page-store.ts';

/** The jobs that follow from a change of state. A room's messages leave in order; pages do not wait for Slack. */
const roomLane = (incidentId: number) => `room:${incidentId}`;
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

export function refreshCard(incidentId: number, now: Date): NewJob {
  return { kind: 'refresh-card', payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** A message in the room. With `mention` it is top-level and pushes those people's phones. */
export function notice(incidentId: number, now: Date, said: { text: string; mention?: string[] }): NewJob {
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

export function showTree(incidentId: number, symptom: string | null, now: Date): NewJob {
  return { kind: 'show-tree', payload: { incidentId, symptom }, runAt: now, lane: roomLane(incidentId) };
}

export function page(incidentId: number, purpose: PagePurpose, now: Date): NewJob {
  return {
    kind: 'page',
    payload: { incidentId, purpose },
    runAt: now,
    lane: pageLane(incidentId),
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

export function writePostmortem(incidentId: number, now: Date): NewJob {
  return {
    kind: 'write-postmortem',
    payload: { incidentId, readFrom: now.toISOString() },
    runAt: now,
    lane: `postmortem:${incidentId}`,
  };
}

export function publishPostmortem(incidentId: number, now: Date): NewJob {
  return { kind: 'publish-postmortem', payload: { incidentId }, runAt: now, lane: roomLane(incidentId) };
}

/** A line in the ops channel: what is wrong with the bot itself, and what is not worth a room. Said once per key. */
export function tellOps(said: { key: string; text: string }, now: Date): NewJob {
  return { kind: 'tell-ops', payload: said, runAt: now, lane: 'ops', dedupeKey: `ops:${said.key}` };
}
