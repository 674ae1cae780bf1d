import { z } from 'zod';
import type { JobHandler } from '../db/job-runner.ts';
import { isSuperseded, type Job } from '../db/jobs.ts';
import { CALL_APPROVERS, callApprovers } from './ask-approvers.ts';
import { loadCard } from './card.ts';
import type { Flow } from './flow.ts';
import { freezeInputs } from './freeze-inputs.ts';
import { JUDGE_CALL, judgeCall } from './judge-calls.ts';
import { loadLease } from './lease-view.ts';
import { loadProposal, loadReceipt } from './mitigation-views.ts';
import { cardKey, openRoom } from './open-room.ts';
import { pagerJobs } from './pager-jobs.ts';
import { REHEARSE } from './plan-rehearsals.ts';
import { present } from './present.ts';
import { rehearse } from './rehearse.ts';
import { RUN_CANARY, runCanary } from './run-canaries.ts';
import { runMitigation } from './run-mitigation.ts';
import { runStage } from './run-shift.ts';
import { throttleOffender } from './throttle-offender.ts';
import { loadTree } from './walk-tree.ts';
import { publishPostmortem, writePostmortem } from './write-postmortem.ts';

const about = z.object({
  incidentId: z.number(),
  mitigationId: z.number().default(0),
  symptom: z.string().nullish(),
});
const forOps = z.object({ key: z.string(), text: z.string() });
const said = z.object({ incidentId: z.number(), text: z.string(), mention: z.array(z.string()).default([]) });

/** Every kind of durable job and the verb that does it. */
export function jobHandlers(flow: Flow): Record<string, JobHandler> {
  return {
    'open-room': (job) => openRoom(flow, job),
    'freeze-inputs': (job) => freezeInputs(flow, job),
    'refresh-card': (job) => refresh(flow, job),
    notice: (job) => say(flow, job),
    'tell-ops': (job) => tellOps(flow, job),
    'show-proposal': (job) => showProposal(flow, job),
    'show-receipt': (job) => showReceipt(flow, job),
    'show-lease': (job) => showLease(flow, job),
    'show-tree': (job) => showTree(flow, job),
    [RUN_CANARY]: (job) => runCanary(flow, job),
    [JUDGE_CALL]: (job) => judgeCall(flow, job),
    [REHEARSE]: (job) => rehearse(flow, job),
    ...pagerJobs(flow),
    'run-mitigation': (job) => runMitigation(flow, job),
    'throttle-offender': (job) => throttleOffender(flow, job),
    'run-stage': (job) => runStage(flow, job),
    [CALL_APPROVERS]: (job) => callApprovers(flow, job),
    'write-postmortem': (job) => writePostmortem(flow, job),
    'publish-postmortem': (job) => publishPostmortem(flow, job),
  };
}

/** Jobs that wait for a model to answer; they get a runner of their own, so that no page ever waits behind one. */
export const MODEL_JOBS: readonly string[] = [RUN_CANARY, JUDGE_CALL, REHEARSE];

/** The card is always drawn from the rows as they are now, so one edit stands for all that wait behind it. */
async function refresh(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = about.parse(job.payload);
  if (job.lane !== null && (await isSuperseded(flow.db, { id: job.id, kind: job.kind, lane: job.lane })))
    return;
  const card = await loadCard(flow, incidentId);
  await present(flow, {
    incidentId,
    key: cardKey(incidentId),
    message: { kind: 'card', card },
    retried: isRetry(job),
  });
}

async function say(flow: Flow, job: Job): Promise<void> {
  const { incidentId, text, mention } = said.parse(job.payload);
  const message = { kind: 'notice' as const, text, mention };
  await present(flow, { incidentId, key: `notice:${job.id}`, message, retried: isRetry(job) });
}

/** Without an ops channel it is in the log and in `status` only. */
async function tellOps(flow: Flow, job: Job): Promise<void> {
  const { key, text } = forOps.parse(job.payload);
  flow.log.warn({ key, text }, 'for the ops channel');
  const { ops_channel: channelId } = flow.config;
  if (channelId === undefined) return;
  const message = { kind: 'notice' as const, text, mention: [] };
  await flow.chat.post({ key: `ops:${key}`, channelId, message, retried: isRetry(job) });
}

async function showProposal(flow: Flow, job: Job): Promise<void> {
  const { incidentId, mitigationId } = about.parse(job.payload);
  const proposal = await loadProposal(flow, mitigationId);
  const message = { kind: 'proposal' as const, proposal };
  await present(flow, { incidentId, key: `proposal:${mitigationId}`, message, retried: isRetry(job) });
}

async function showReceipt(flow: Flow, job: Job): Promise<void> {
  const { incidentId, mitigationId } = about.parse(job.payload);
  const message = { kind: 'receipt' as const, receipt: await loadReceipt(flow, mitigationId) };
  await present(flow, { incidentId, key: `receipt:${mitigationId}`, message, retried: isRetry(job) });
}

async function showLease(flow: Flow, job: Job): Promise<void> {
  const { incidentId, mitigationId } = about.parse(job.payload);
  const { key, lease } = await loadLease(flow, mitigationId);
  await present(flow, { incidentId, key, message: { kind: 'lease', lease }, retried: isRetry(job) });
}

async function showTree(flow: Flow, job: Job): Promise<void> {
  const { incidentId, symptom } = about.parse(job.payload);
  const tree = await loadTree(flow, { incidentId, symptom: symptom ?? null });
  const key =
    symptom === null || symptom === undefined ? `tree:${incidentId}` : `tree:${incidentId}:${symptom}`;
  await present(flow, {
    incidentId,
    key,
    message: { kind: 'tree', tree },
    under: cardKey(incidentId),
    retried: isRetry(job),
  });
}

const isRetry = (job: Job) => job.attempts > 1;
