import { z } from 'zod';
import type { Tx } from '../db/database.ts';
import { enqueue, type Job } from '../db/jobs.ts';
import { addToTimeline } from '../incident/incident-store.ts';
import { settlePage } from '../incident/page-store.ts';
import { audit } from '../mitigation/audit-store.ts';
import { type Mitigation, moveMitigation } from '../mitigation/mitigation-store.ts';
import { refreshCard, showProposal, showReceipt } from './effects.ts';
import type { Flow } from './flow.ts';
import { REHEARSE } from './plan-rehearsals.ts';
import { settleLostRehearsals } from './rehearse.ts';
import { callAboutRun } from './run-trouble.ts';

const subject = z.object({
  incidentId: z.number().optional(),
  mitigationId: z.number().optional(),
  purpose: z.enum(['page', 'ticket']).optional(),
});

/** Jobs without which a mitigation stays half-done. */
const RUNS: readonly string[] = ['run-mitigation', 'run-stage'];

/** A job that was given up is never silent: its incident's record and card say what did not happen. */
export async function settleBuried(flow: Flow, job: Job, error: string): Promise<void> {
  const { incidentId, mitigationId, purpose } = subject.parse(job.payload);
  const now = flow.clock.now();
  flow.log.error({ job: job.id, kind: job.kind, error }, 'job given up');
  await flow.db.transaction().execute(async (tx) => {
    let about = incidentId ?? null;
    if (RUNS.includes(job.kind) && mitigationId !== undefined) {
      const moved = await giveUpRun(flow, tx, { mitigationId, error, now });
      about = moved?.incident_id ?? about;
    }
    if (about === null) return;
    if (job.kind === REHEARSE) await settleLostRehearsals(tx, { incidentId: about, jobId: job.id, now });
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

async function giveUpRun(
  flow: Flow,
  tx: Tx,
  { mitigationId: id, error, now }: { mitigationId: number; error: string; now: Date },
): Promise<Mitigation | undefined> {
  const note = `The run was given up: ${error}. Look at the target, then decide.`;
  const set = { settled_at: now, outcome: note };
  const from = ['approved', 'running'] as const;
  const moved = await moveMitigation(tx, { id, from, to: 'needs-human', set });
  if (moved === undefined) return undefined;
  const data = { planHash: moved.plan_hash };
  const entry = { action: 'mitigation.needs-human', subject: `mitigation ${id}`, data };
  await audit(tx, { at: now, actor: 'llm-incident', ...entry });
  await callAboutRun(flow, tx, { mitigation: moved, note, now });
  const { incident_id: about } = moved;
  if (about !== null) await enqueue(tx, [showProposal(about, id, now), showReceipt(about, id, now)]);
  return moved;
}
