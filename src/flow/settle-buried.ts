import { z } from 'zod';
import { enqueue, type Job } from '../db/jobs.ts';
import { addToTimeline } from '../incident/incident-store.ts';
import { settlePage } from '../incident/page-store.ts';
import { moveMitigation } from '../mitigation/mitigation-store.ts';
import { refreshCard, showReceipt } from './effects.ts';
import type { Flow } from './flow.ts';

const subject = z.object({
  incidentId: z.number().optional(),
  mitigationId: z.number().optional(),
  purpose: z.enum(['page', 'ticket']).optional(),
});

/** A job that was given up is never silent: its incident's record and card say what did not happen. */
export async function settleBuried(flow: Flow, job: Job, error: string): Promise<void> {
  const { incidentId, mitigationId, purpose } = subject.parse(job.payload);
  const now = flow.clock.now();
  flow.log.error({ job: job.id, kind: job.kind, error }, 'job given up');
  await flow.db.transaction().execute(async (tx) => {
    let about = incidentId ?? null;
    if (mitigationId !== undefined) {
      const set = {
        settled_at: now,
        outcome: `The run was given up: ${error}. Look at the target, then decide.`,
      };
      const moved = await moveMitigation(tx, {
        id: mitigationId,
        from: ['approved', 'running'],
        to: 'needs-human',
        set,
      });
      about = moved?.incident_id ?? about;
      if (moved !== undefined && about !== null) await enqueue(tx, showReceipt(about, mitigationId, now));
    }
    if (about === null) return;
    if (job.kind === 'page' && purpose !== undefined) {
      await settlePage(tx, {
        incidentId: about,
        purpose,
        state: 'failed',
        reason: error,
        receipt: null,
        at: now,
      });
    }
    const text = `${job.kind} was given up: ${error}`;
    await addToTimeline(tx, { incidentId: about, at: now, kind: 'gave-up', actor: null, text });
    if (job.kind !== 'refresh-card') await enqueue(tx, refreshCard(about, now));
  });
}
