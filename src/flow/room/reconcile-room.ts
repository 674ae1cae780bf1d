import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { LIVE } from '../../incident/incident.ts';
import { findIncident, listLive } from '../../incident/incident-store.ts';
import type { Flow } from '../flow.ts';
import { collectHistory } from './collect-history.ts';
import { reconcile } from './gap.ts';

const payload = z.object({ incidentId: z.number(), readFrom: z.coerce.date() });

/** At every start: events of the time before went nowhere. */
export async function reconcileLiveRooms(flow: Pick<Flow, 'db' | 'clock'>): Promise<void> {
  const rooms = (await listLive(flow.db)).filter(({ channel_id }) => channel_id !== null);
  const now = flow.clock.now();
  await enqueue(
    flow.db,
    rooms.map(({ id }) => reconcile(id, now, 1_000)),
  );
}

/** New and changed messages, new replies, who came and left. What Slack refuses to show is left to the post-mortem. */
export async function reconcileRoom(flow: Flow, job: Job): Promise<void> {
  const { incidentId, readFrom } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || incident.channel_id === null || !LIVE.includes(incident.status)) return;
  try {
    await collectHistory(flow, { incidentId, channelId: incident.channel_id, readFrom, threads: 'new' });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, error: thrown.message }, 'a room could not be read again');
  }
}
