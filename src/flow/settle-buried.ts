import { z } from 'zod';
import type { Tx } from '../db/database.ts';
import { enqueue, type Job } from '../db/jobs.ts';
import { settleNotice } from '../incident/exposure-notice-store.ts';
import { addToTimeline } from '../incident/incident-store.ts';
import { settlePage } from '../incident/page-store.ts';
import { audit } from '../mitigation/audit-store.ts';
import { findMitigation, type Mitigation, moveMitigation } from '../mitigation/mitigation-store.ts';
import { refreshCard, showProposal, showReceipt } from './effects.ts';
import type { Flow } from './flow.ts';
import { leaseOf } from './mitigate/lease.ts';
import { REHEARSE } from './mitigate/plan-rehearsals.ts';
import { settleLostRehearsals } from './mitigate/rehearse.ts';
import { callAboutRun } from './mitigate/run-trouble.ts';
import { SHOW_DIGEST } from './room/show-digest.ts';
import { SEND_NOTICE } from './stakeholders/exposure-notice.ts';

const subject = z.object({
  incidentId: z.number().optional(),
  mitigationId: z.number().optional(),
  purpose: z.enum(['page', 'ticket']).optional(),
  noticeId: z.number().optional(),
});

/** Jobs without which a mitigation stays half-done. */
const RUNS: readonly string[] = ['run-mitigation', 'run-stage'];

/** A job that was given up is never silent: its incident's record and card say what did not happen. */
export async function settleBuried(flow: Flow, job: Job, error: string): Promise<void> {
  const { incidentId, mitigationId, purpose, noticeId } = subject.parse(job.payload);
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
    if (job.kind === SEND_NOTICE && noticeId !== undefined) {
      const settled = {
        id: noticeId,
        status: 'failed' as const,
        outcome: `It was not sent: ${error}`,
        at: now,
      };
      await settleNotice(tx, { ...settled, receipt: null });
    }
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
    // Neither is tried again by what its own failure draws anew.
    const isDrawing = job.kind === 'refresh-card' || job.kind === SHOW_DIGEST;
    if (!isDrawing) await enqueue(tx, refreshCard(about, now));
  });
}

async function giveUpRun(
  flow: Flow,
  tx: Tx,
  { mitigationId: id, error, now }: { mitigationId: number; error: string; now: Date },
): Promise<Mitigation | undefined> {
  const note = `The run was given up: ${error}. Look at the target, then decide.`;
  const known = await findMitigation(tx, id);
  if (known === undefined) return undefined;
  const set = { settled_at: now, outcome: note, ...leaseOf(flow, known, now) };
  const from = ['approved', 'running'] as const;
  const moved = await moveMitigation(tx, { id, from, to: 'needs-human', set });
  if (moved === undefined) return undefined;
  const data = { planHash: moved.plan_hash };
  const entry = { action: 'mitigation.needs-human', subject: `mitigation ${id}`, data };
  await audit(tx, { at: now, actor: 'llm-incident', ...entry });
  await callAboutRun(tx, { mitigation: moved, note, now });
  const { incident_id: about } = moved;
  if (about !== null) await enqueue(tx, [showProposal(about, id, now), showReceipt(about, id, now)]);
  return moved;
}
