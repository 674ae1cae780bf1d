import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { Flow } from '../flow.ts';
import { peopleToReach } from '../stakeholders/contacts.ts';

const invited = z.object({ incidentId: z.number(), people: z.array(z.string()) });

/** Policy: whoever is called is let into the room first: a mention reaches nobody who is not in it. */
export async function invitePeople(flow: Flow, job: Job): Promise<void> {
  const { incidentId, people } = invited.parse(job.payload);
  await letIn(flow, { incidentId, people });
}

/** People and groups by id; who cannot be let in is called all the same. */
export async function letIn(
  flow: Pick<Flow, 'db' | 'chat' | 'log'>,
  { incidentId, people }: { incidentId: number; people: readonly string[] },
): Promise<void> {
  const channelId = (await findIncident(flow.db, incidentId))?.channel_id ?? null;
  if (channelId === null || people.length === 0) return;
  try {
    await flow.chat.invite(channelId, await peopleToReach(flow, people));
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, error: thrown.message }, 'people who were called could not be invited');
  }
}
