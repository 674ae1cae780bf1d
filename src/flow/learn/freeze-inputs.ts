import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import { freezeInputShift } from '../../evidence/input-freeze-store.ts';
import { findIncident, milestonesOf } from '../../incident/incident-store.ts';
import type { Flow } from '../flow.ts';

const payload = z.object({ incidentId: z.number() });

/** How the requests of an incident differ from those before, frozen soon after its opening. */
export async function freezeInputs(flow: Pick<Flow, 'db'>, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined || incident.service === null) return;
  const { service, environment } = incident;
  const { declared, started } = await milestonesOf(flow.db, incidentId);
  const at = declared ?? incident.created_at;
  await freezeInputShift(flow.db, { incidentId, service, environment, at, onset: started ?? null });
}
