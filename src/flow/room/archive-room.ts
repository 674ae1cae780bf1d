import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addMinutes } from 'date-fns';
import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { jobsOfIncident } from '../../db/incident-jobs.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import {
  type ArchiveStep,
  type Duty,
  dueArchives,
  findDuty,
  moveArchive,
} from '../../postmortem/duty-store.ts';
import { findPostmortem } from '../../postmortem/postmortem-store.ts';
import { notice, writePostmortem } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { documentsOf } from '../learn/documents-folder.ts';
import { archiveRoom as archiveJob } from '../learn/duty-effects.ts';
import { EXPORT } from '../learn/export-jobs.ts';
import { stillOn } from '../mitigate/still-on.ts';

/** From the announcement on people may still say something, and it is kept. */
const ANNOUNCED_MINUTES = 10;

export type ArchiveAsked = { kind: 'asked' } | { kind: 'already' } | { kind: 'not-closed' };

/** Somebody wants the room of a closed incident archived. */
export async function askToArchive(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by }: { incident: Incident; by: string },
): Promise<ArchiveAsked> {
  const now = flow.clock.now();
  const { id: incidentId } = incident;
  return flow.db.transaction().execute(async (tx): Promise<ArchiveAsked> => {
    if ((await findIncident(tx, incidentId))?.status !== 'closed') return { kind: 'not-closed' };
    const move = { incidentId, from: [null, 'asked', 'failed'] as const, to: 'asked' as const, at: now };
    if ((await moveArchive(tx, move)) === undefined) return { kind: 'already' };
    const text = 'Asked for the room to be archived.';
    await addToTimeline(tx, { incidentId, at: now, kind: 'archive', actor: by, text });
    await audit(tx, { at: now, actor: by, action: 'room.archive-asked', subject: nameOf(incidentId) });
    return { kind: 'asked' };
  });
}

/**
 * Takes each room that is to be archived one step further: said in the room; its history read and its documents written
 * again; exported; archived. Policy: Slack lets nobody read an archived channel from a bot, so that comes last.
 */
export async function tickArchives(flow: Pick<Flow, 'db' | 'clock'>): Promise<void> {
  const now = flow.clock.now();
  for (const duty of await dueArchives(flow.db, now))
    await flow.db.transaction().execute((tx) => takeStep(tx, { duty, now }));
}

interface Due {
  duty: Duty;
  now: Date;
}

async function takeStep(tx: Tx, { duty, now }: Due): Promise<void> {
  const { incident_id: incidentId, archive_step: step } = duty;
  const to = (next: ArchiveStep, at: Date | null) =>
    moveArchive(tx, { incidentId, from: [step], to: next, at });
  if (step === 'asked') return announce(tx, { duty, now });
  if (step === 'announced') {
    if ((await to('writing', now)) !== undefined) await enqueue(tx, writePostmortem(incidentId, now));
    return;
  }
  const written = await findPostmortem(tx, incidentId);
  if (written === undefined || duty.archive_at === null || written.assembled_at < duty.archive_at) return;
  const exports = await jobsOfIncident(tx, { incidentId, kind: EXPORT, since: duty.archive_at });
  if (exports.some(({ state }) => state === 'ready')) return;
  if (exports.some(({ state }) => state === 'dead')) {
    await to('failed', null);
    await sayNot(tx, { incidentId, now, why: 'an export has failed' });
    return;
  }
  if ((await to('archiving', null)) !== undefined) await enqueue(tx, archiveJob(incidentId, now));
}

/** Policy: while a lease runs its owner is asked in the room, so a room waits for the last of them. */
async function announce(tx: Tx, { duty, now }: Due): Promise<void> {
  const { incident_id: incidentId } = duty;
  if ((await stillOn(tx, { incidentId })).some(({ until }) => until !== null)) return;
  const at = addMinutes(now, ANNOUNCED_MINUTES);
  const move = { incidentId, from: ['asked'] as const, to: 'announced' as const, at };
  if ((await moveArchive(tx, move)) === undefined) return;
  const text = `This room will be archived in ${ANNOUNCED_MINUTES} minutes: ${nameOf(incidentId)} is closed. What is said until then is kept with its post-mortem. An archived room can be read, and written in no more.`;
  await enqueue(tx, notice(incidentId, now, { text, aloud: true }));
}

async function sayNot(
  tx: Tx,
  { incidentId, now, why }: { incidentId: number; now: Date; why: string },
): Promise<void> {
  const text = `This room was not archived: ${why}. \`/llm-incident close archive\` tries again.`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'archive', actor: null, text });
  await enqueue(tx, notice(incidentId, now, { text, aloud: true }));
}

const payload = z.object({ incidentId: z.number() });

/** Archives it. Policy: never a room whose document is not on disk as it was written last. */
export async function archiveRoom(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const duty = await findDuty(flow.db, incidentId);
  if (incident?.channel_id == null || duty?.archive_step !== 'archiving') return;
  const problem = (await isOnDisk(flow, incidentId))
    ? await archived(flow, incident.channel_id)
    : 'its post-mortem is not on disk';
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const to = problem === null ? ('archived' as const) : ('failed' as const);
    await moveArchive(tx, { incidentId, from: ['archiving'], to, at: null });
    if (problem !== null) return sayNot(tx, { incidentId, now, why: problem });
    const text = 'The room was archived.';
    await addToTimeline(tx, { incidentId, at: now, kind: 'archive', actor: null, text });
    await audit(tx, { at: now, actor: 'llm-incident', action: 'room.archived', subject: nameOf(incidentId) });
  });
}

async function isOnDisk(
  flow: Pick<Flow, 'db' | 'documentsDir' | 'log'>,
  incidentId: number,
): Promise<boolean> {
  const written = await findPostmortem(flow.db, incidentId);
  try {
    const kept = await readFile(join(documentsOf(flow, incidentId), 'postmortem.md'), 'utf8');
    return kept === written?.markdown;
  } catch (thrown) {
    // What cannot be read is not kept.
    flow.log.error({ incidentId, error: messageOf(thrown) }, 'a post-mortem could not be read from disk');
    return false;
  }
}

/** Null once it is; else what Slack said. */
async function archived(flow: Pick<Flow, 'chat'>, channelId: string): Promise<string | null> {
  try {
    await flow.chat.archive(channelId);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    return `Slack refused it (${thrown.code ?? messageOf(thrown)})`;
  }
}
