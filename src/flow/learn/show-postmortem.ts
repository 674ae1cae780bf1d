import { z } from 'zod';
import { isSuperseded, type Job } from '../../db/jobs.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findPosted } from '../../incident/room-store.ts';
import { casesOf } from '../../postmortem/case-store.ts';
import { markTold } from '../../postmortem/duty-store.ts';
import { findPostmortem } from '../../postmortem/postmortem-store.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import { present } from '../room/present.ts';
import { dutyState } from './duty-state.ts';
import type { PostmortemView } from './duty-view.ts';

const payload = z.object({ incidentId: z.number() });

export const postmortemKey = (incidentId: number) => `postmortem:${incidentId}`;

/** Says in the room that it is written, whose it is and what is left to do; said once, and edited from then on. */
export async function presentPostmortem(
  flow: Flow,
  { incident, retried }: { incident: Incident; retried: boolean },
): Promise<void> {
  const { id: incidentId } = incident;
  const postmortem = await loadPostmortem(flow, incident);
  if (postmortem === null) return;
  const key = postmortemKey(incidentId);
  const isFirst = (await findPosted(flow.db, key)) === undefined;
  await present(flow, { incidentId, key, message: { kind: 'postmortem', postmortem }, retried });
  if (isFirst && postmortem.owner !== null) await markTold(flow.db, incidentId, postmortem.owner.id);
}

/** Edits the message where there is one. */
export async function refreshPostmortem(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  if (job.lane !== null && (await isSuperseded(flow.db, { id: job.id, kind: job.kind, lane: job.lane })))
    return;
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || (await findPosted(flow.db, postmortemKey(incidentId))) === undefined) return;
  await presentPostmortem(flow, { incident, retried: job.attempts > 1 });
}

/** Null before it is written. */
async function loadPostmortem(
  flow: Pick<Flow, 'db' | 'config' | 'chat' | 'log'>,
  incident: Incident,
): Promise<PostmortemView | null> {
  const written = await findPostmortem(flow.db, incident.id);
  if (written === undefined) return null;
  const { duty, left, signed, unsigned } = await dutyState(flow, flow.db, incident);
  const cases = await casesOf(flow.db, incident.id);
  const owner = duty?.owner ?? null;
  return {
    incidentId: incident.id,
    summary: `The post-mortem of ${nameOf(incident.id)} is written, with ${counted(cases.length)}.`,
    left,
    lacks: written.missing,
    owner: owner === null ? null : { id: owner, name: await nameOrId(flow, owner) },
    callsOwner: owner !== null && owner !== duty?.chosen_by,
    dueAt: duty?.due_at ?? null,
    signedBy: signed.map(({ by }) => by),
    unsigned,
    isClosed: incident.status === 'closed',
  };
}

const counted = (cases: number) => (cases === 1 ? '1 eval case' : `${cases === 0 ? 'no' : cases} eval cases`);
