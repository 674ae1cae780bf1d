import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { type Incident, isPerson, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident, lockIncident } from '../../incident/incident-store.ts';
import { findPosted } from '../../incident/room-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { dueInWords } from '../../postmortem/duty.ts';
import { findDuty, markTold, setDutyOwner } from '../../postmortem/duty-store.ts';
import { invitePeople, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { showPostmortem, tellOwner } from './duty-effects.ts';
import { dutyState } from './duty-state.ts';
import { dutyView, writeTo } from './remind-owner.ts';
import { postmortemKey } from './show-postmortem.ts';

export type HandedOver =
  | { kind: 'handed-over' | 'same' }
  | { kind: 'not-possible'; status: Incident['status'] }
  | { kind: 'nobody' };

/** Makes somebody else write it. Policy: whoever is in the room may say who; a private room lets its new owner in. */
export async function handOverPostmortem(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incident, by, to }: { incident: Incident; by: string; to: string },
): Promise<HandedOver> {
  if (!isPerson(to)) return { kind: 'nobody' };
  const at = flow.clock.now();
  const { id: incidentId } = incident;
  return flow.db.transaction().execute(async (tx): Promise<HandedOver> => {
    const current = (await lockIncident(tx, incidentId)) ?? incident;
    if (current.status !== 'resolved') return { kind: 'not-possible', status: current.status };
    if ((await setDutyOwner(tx, { incidentId, owner: to, by })) === undefined) return { kind: 'same' };
    const text = `Made <@${to}> the owner of the post-mortem.`;
    await addToTimeline(tx, { incidentId, at, kind: 'postmortem-owner', actor: by, text, data: { to } });
    const subject = nameOf(incidentId);
    await audit(tx, { at, actor: by, action: 'postmortem.owner', subject, data: { to } });
    const telling = to === by ? [] : [tellOwner(incidentId, at)];
    await enqueue(tx, [
      invitePeople(incidentId, [to], at),
      showPostmortem(incidentId, at),
      ...telling,
      refreshCard(incidentId, at),
    ]);
    return { kind: 'handed-over' };
  });
}

const payload = z.object({ incidentId: z.number() });

/** Writes to the new owner, once; before the message in the room is posted that one tells it. */
export async function tellNewOwner(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const duty = await findDuty(flow.db, incidentId);
  const isPosted = (await findPosted(flow.db, postmortemKey(incidentId))) !== undefined;
  if (incident?.status !== 'resolved' || duty === undefined || !isPosted) return;
  const { owner, told, due_at: dueAt } = duty;
  if (owner === null || owner === told) return;
  const { left } = await dutyState(flow, flow.db, incident);
  const state = `is yours now, and ${dueInWords(dueAt, flow.clock.now())}`;
  const view = dutyView(incident, { state, owner: null, left });
  await writeTo(flow, { person: owner, key: `owner:${job.id}`, duty: view, retried: job.attempts > 1 });
  await markTold(flow.db, incidentId, owner);
}
