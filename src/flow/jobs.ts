import { z } from 'zod';
import type { JobHandler } from '../db/job-runner.ts';
import { enqueue, isSuperseded, type Job } from '../db/jobs.ts';
import { findIncident } from '../incident/incident-store.ts';
import { characterise } from './decide/characterise.ts';
import { drawTree } from './decide/draw-tree.ts';
import { REPRODUCE, reproduce } from './decide/reproduce.ts';
import { loadTree } from './decide/walk-tree.ts';
import { showTree as showBranch } from './effects.ts';
import type { Flow } from './flow.ts';
import { climb } from './incident/contain-ladder.ts';
import { dutyJobs } from './learn/duty-jobs.ts';
import { EXPORT } from './learn/export-jobs.ts';
import { freezeInputs } from './learn/freeze-inputs.ts';
import { runExport } from './learn/run-exports.ts';
import { tryImmunity } from './learn/try-immunity.ts';
import { IMMUNITY } from './learn/watch-immunity.ts';
import { publishPostmortem, writePostmortem } from './learn/write-postmortem.ts';
import { CALL_APPROVERS, callApprovers } from './mitigate/ask-approvers.ts';
import { loadLease } from './mitigate/lease-view.ts';
import { loadProposal, loadReceipt } from './mitigate/mitigation-views.ts';
import { REHEARSE } from './mitigate/plan-rehearsals.ts';
import { rehearse } from './mitigate/rehearse.ts';
import { runMitigation } from './mitigate/run-mitigation.ts';
import { runStage } from './mitigate/run-shift.ts';
import { throttleOffender } from './mitigate/throttle-offender.ts';
import { pagerJobs } from './page/pager-jobs.ts';
import { loadCard } from './room/card.ts';
import { RECONCILE_ROOM } from './room/gap.ts';
import { showChart } from './room/incident-chart.ts';
import { LINK_MARK, linkMarked } from './room/mark-timeline.ts';
import { cardKey, openRoom } from './room/open-room.ts';
import { present } from './room/present.ts';
import { drawHomes, PUBLISH_HOMES } from './room/publish-homes.ts';
import { pushPeople } from './room/push.ts';
import { reconcileRoom } from './room/reconcile-room.ts';
import { followTopic } from './room/room-topic.ts';
import { drawDigest, followDigest, SHOW_DIGEST } from './room/show-digest.ts';
import { stakeholderJobs } from './stakeholders/stakeholder-jobs.ts';
import { JUDGE_CALL, judgeCall } from './watch/judge-calls.ts';
import { RUN_CANARY, runCanary } from './watch/run-canaries.ts';

const about = z.object({
  incidentId: z.number(),
  mitigationId: z.number().default(0),
  symptom: z.string().nullish(),
});
const forOps = z.object({ key: z.string(), text: z.string(), mention: z.array(z.string()).default([]) });
const said = z.object({
  incidentId: z.number(),
  text: z.string(),
  mention: z.array(z.string()).default([]),
  aloud: z.boolean().default(false),
  inThread: z.boolean().default(false),
  room: z.string().optional(),
});

/** Every kind of durable job and the verb that does it. */
export function jobHandlers(flow: Flow): Record<string, JobHandler> {
  return {
    'open-room': (job) => openRoom(flow, job),
    'freeze-inputs': (job) => freezeInputs(flow, job),
    'refresh-card': (job) => refresh(flow, job),
    [PUBLISH_HOMES]: (job) => drawHomes(flow, job),
    [SHOW_DIGEST]: (job) => drawDigest(flow, job),
    [LINK_MARK]: (job) => linkMarked(flow, job),
    [RECONCILE_ROOM]: (job) => reconcileRoom(flow, job),
    notice: (job) => say(flow, job),
    push: (job) => pushPeople(flow, job),
    'climb-ladder': (job) => climb(flow, job),
    'show-chart': (job) => showChart(flow, job),
    'tell-ops': (job) => tellOps(flow, job),
    'show-proposal': (job) => showProposal(flow, job),
    'show-receipt': (job) => showReceipt(flow, job),
    'show-lease': (job) => showLease(flow, job),
    'show-tree': (job) => showTree(flow, job),
    'draw-tree': (job) => drawTree(flow, job),
    'show-characteristics': (job) => showCharacteristics(flow, job),
    [REPRODUCE]: (job) => reproduce(flow, job),
    [RUN_CANARY]: (job) => runCanary(flow, job),
    [JUDGE_CALL]: (job) => judgeCall(flow, job),
    [REHEARSE]: (job) => rehearse(flow, job),
    [IMMUNITY]: (job) => tryImmunity(flow, job),
    [EXPORT]: (job) => runExport(flow, job),
    ...pagerJobs(flow),
    ...stakeholderJobs(flow),
    ...dutyJobs(flow),
    'run-mitigation': (job) => runMitigation(flow, job),
    'throttle-offender': (job) => throttleOffender(flow, job),
    'run-stage': (job) => runStage(flow, job),
    [CALL_APPROVERS]: (job) => callApprovers(flow, job),
    'write-postmortem': (job) => writePostmortem(flow, job),
    'publish-postmortem': (job) => publishPostmortem(flow, job),
  };
}

/** Jobs that wait for a model to answer; they get a runner of their own, so that no page ever waits behind one. */
export const MODEL_JOBS: readonly string[] = [RUN_CANARY, JUDGE_CALL, REHEARSE, REPRODUCE, IMMUNITY];

/** What calls people or changes what users get; in a runner of its own it never stands behind rooms that Slack holds up. */
export const URGENT_JOBS: readonly string[] = [
  ...['page', 'page-people', 'climb-ladder', 'settle-pages', 'take-page-event', CALL_APPROVERS],
  ...['run-mitigation', 'run-stage', 'throttle-offender'],
];

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
  const incident = await findIncident(flow.db, incidentId);
  if (incident !== undefined) await followTopic(flow, incident);
  await followDigest(flow, incidentId);
}

async function say(flow: Flow, job: Job): Promise<void> {
  const { incidentId, text, mention, room, aloud, inThread } = said.parse(job.payload);
  const message = { kind: 'notice' as const, text, mention, room };
  const isInRoom = aloud || (mention.length > 0 && !inThread);
  const where = isInRoom ? {} : { under: cardKey(incidentId) };
  const key = `notice:${job.id}`;
  await present(flow, { incidentId, key, message, ...where, retried: isRetry(job) });
}

/** Without an ops channel it is in the log and in `status` only, or goes to who is mentioned. */
async function tellOps(flow: Flow, job: Job): Promise<void> {
  const { key, text, mention } = forOps.parse(job.payload);
  flow.log.warn({ key, text }, 'for the ops channel');
  const [person] = mention;
  const { ops_channel: ops = person && (await flow.chat.directChannel(person)) } = flow.config;
  if (ops === undefined) return;
  const message = { kind: 'notice' as const, text, mention };
  await flow.chat.post({ key: `ops:${key}`, channelId: ops, message, retried: isRetry(job) });
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

/** Where the evidence picks a branch, its first step follows. */
async function showTree(flow: Flow, job: Job): Promise<void> {
  const { incidentId, symptom } = about.parse(job.payload);
  const tree = await loadTree(flow, { incidentId, symptom: symptom ?? null });
  const isChoice = tree.step === null && tree.leaf === null;
  await present(flow, {
    incidentId,
    key: isChoice ? `tree:${incidentId}` : `tree:${incidentId}:${symptom}`,
    message: { kind: 'tree', tree },
    under: cardKey(incidentId),
    retried: isRetry(job),
  });
  if (isChoice && tree.picked != null)
    await enqueue(flow.db, showBranch(incidentId, tree.picked, flow.clock.now()));
}

async function showCharacteristics(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = about.parse(job.payload);
  const characteristics = await characterise(flow, incidentId);
  await present(flow, {
    incidentId,
    key: `characteristics:${incidentId}`,
    message: { kind: 'characteristics', characteristics },
    under: cardKey(incidentId),
    retried: isRetry(job),
  });
}

const isRetry = (job: Job) => job.attempts > 1;
