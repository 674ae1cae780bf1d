import { z } from 'zod';
import { enqueue, type Job } from '../../db/jobs.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { findMitigation, type Mitigation, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan, type Shift } from '../../mitigation/plan.ts';
import { armPercent, describePlan, stepsOfStage } from '../../mitigation/shift.ts';
import { beginStage, moveStage, type Stage, stagesOf } from '../../mitigation/shift-store.ts';
import type { Target } from '../../mitigation/target.ts';
import { refreshCard, runStage as runStageJob, showProposal, showReceipt } from '../effects.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { carryOut } from './carry-out.ts';
import { confirmApproval } from './confirm-approval.ts';
import { endShift, type ShiftEnding } from './end-shift.ts';
import { leaseOf } from './lease.ts';
import { proposeAgain } from './propose.ts';
import { type Outcome, tooLate } from './run-trouble.ts';
import { describeGap, releaseGap } from './safety-release.ts';
import { settleRun } from './settle-run.ts';
import { describeBackStep, nameOfStage } from './shift-lines.ts';

const payload = z.object({ mitigationId: z.number(), number: z.number() });

/** Lets the first stage of an approved shift be carried out; what was begun before goes on by itself. */
export async function beginShift(flow: Flow, mitigation: Mitigation, shift: Shift): Promise<void> {
  const at = flow.clock.now();
  const [to = 100] = shift.stages;
  const stage = { mitigationId: mitigation.id, number: 1, from: shift.from, to, isBack: false, at };
  await flow.db.transaction().execute(async (tx) => {
    if (await beginStage(tx, stage)) await enqueue(tx, runStageJob(mitigation, 1, at));
  });
}

interface Running {
  mitigation: Mitigation;
  plan: Plan & { shift: Shift };
  stage: Stage;
}

/** Carries one stage out with at most one effect, as any run; what came of it decides how the shift goes on. */
export async function runStage(flow: Flow, job: Job): Promise<void> {
  const running = await load(flow, payload.parse(job.payload));
  if (running === null) return;
  const target = flow.targetFor(running.plan);
  if (running.stage.status === 'done') return settleStage(flow, running, '');
  if (target !== null && (await isStoppedBefore(target, running))) return stopBefore(flow, running);
  const outcome = await outcomeOf(flow, target, running);
  if (outcome.kind === 'applied') return settleStage(flow, running, outcome.note);
  await settleTrouble(flow, running, outcome);
}

/** Null when the shift or this stage of it is settled already. */
async function load(flow: Flow, { mitigationId, number }: z.infer<typeof payload>): Promise<Running | null> {
  const mitigation = await findMitigation(flow.db, mitigationId);
  if (mitigation?.status !== 'running') return null;
  const { shift, ...plan } = parsePlan(mitigation.plan);
  const stage = (await stagesOf(flow.db, mitigationId)).find((one) => one.number === number);
  const isOpen = stage?.status === 'running' || stage?.status === 'done';
  return shift === null || stage === undefined || !isOpen
    ? null
    : { mitigation, plan: { ...plan, shift }, stage };
}

async function outcomeOf(flow: Flow, target: Target | null, running: Running): Promise<Outcome> {
  const { mitigation, plan, stage } = running;
  const isLate =
    flow.clock.now().getTime() - stage.started_at.getTime() >
    minutesToMs(flow.config.approval_expires_minutes);
  const approved = await confirmApproval(flow, mitigation, { mayWait: !isLate });
  if (approved === null)
    return { kind: 'failed', note: 'The votes do not approve this plan. Nothing was sent.' };
  if (target === null)
    return { kind: 'failed', note: 'The service has no target any more. Nothing was sent.' };
  if (isLate) return tooLate(mitigation);
  const share = { setting: plan.shift.setting, from: stage.from_percent, to: stage.to_percent };
  const gap = await releaseGap(flow, flow.db, {
    ...plan,
    steps: [share],
    shift: null,
    mitigationId: mitigation.id,
  });
  if (gap !== null) {
    const why = describeGap(gap, { mentions: false });
    return mitigation.last_sent_at === null
      ? { kind: 'failed', note: `${why} Nothing was sent.` }
      : { kind: 'needs-human', note: `${why} Look at the target, part of it may be done.` };
  }
  const steps = stepsOfStage(plan, { from: stage.from_percent, to: stage.to_percent });
  return carryOut(flow, target, { approved, steps, keyPart: `s${stage.number}-` });
}

/** Somebody wants it to stop, and the target shows nothing of this stage. */
async function isStoppedBefore(target: Target, { plan, stage }: Running): Promise<boolean> {
  if (stage.stop_by === null || stage.is_back) return false;
  const { setting } = plan.shift;
  const about = [setting, ...plan.steps.map((step) => step.setting)];
  const state = await target.read(about);
  const first = stepsOfStage(plan, { from: stage.from_percent, to: stage.to_percent })[0];
  const isBegun = first !== undefined && first.setting !== setting && state[first.setting] === first.to;
  return armPercent(plan.shift, state) === stage.from_percent && !isBegun;
}

async function stopBefore(flow: Flow, running: Running): Promise<void> {
  const { mitigation, plan, stage } = running;
  const isAtStart = stage.from_percent === plan.shift.from;
  const by = stage.stop_by ?? 'llm-incident';
  const note = isAtStart
    ? 'Stopped before anything was changed.'
    : `Stopped; it stands at ${stage.from_percent} %.`;
  const now = flow.clock.now();
  const ending: ShiftEnding = { to: isAtStart ? 'withdrawn' : 'needs-human', note, by, calls: false, now };
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now };
    if ((await moveStage(tx, { of: stage, from: 'running', to: 'stopped', set })) === undefined) return;
    await endShift(tx, { mitigation, ending });
  });
}

/** The target shows the stage: all of the traffic is proven as any mitigation, any other share waits for its gate. */
async function settleStage(flow: Flow, running: Running, note: string): Promise<void> {
  const { mitigation, stage } = running;
  const now = flow.clock.now();
  if (stage.to_percent === 100 && !stage.is_back) {
    const set = { applied_at: now, settled_at: now };
    await moveStage(flow.db, { of: stage, from: 'running', to: 'done', set });
    await settleRun(flow, mitigation, { kind: 'applied', note });
    return;
  }
  await flow.db.transaction().execute(async (tx) => {
    const isOver = stage.is_back || stage.stop_by !== null;
    const to = stage.is_back ? 'done' : stage.stop_by === null ? 'gating' : 'stopped';
    const set = { applied_at: now, ...(isOver ? { settled_at: now } : {}) };
    const moved = await moveStage(tx, { of: stage, from: 'running', to, set });
    if (moved === undefined) return;
    const lease = { applied_at: now, ...leaseOf(flow, mitigation, now) };
    if (stage.number === 1)
      await moveMitigation(tx, { id: mitigation.id, from: ['running'], to: 'running', set: lease });
    const data = {
      planHash: mitigation.plan_hash,
      stage: stage.number,
      from: stage.from_percent,
      to: stage.to_percent,
    };
    const subject = `mitigation ${mitigation.id}`;
    await audit(tx, { at: now, actor: 'llm-incident', action: 'mitigation.stage', subject, data });
    await tellStage(tx, { ...running, stage: moved }, { note, now });
    if (moved.stop_by !== null || stage.is_back) await endHere(flow, tx, { ...running, stage: moved });
  });
}

async function tellStage(
  tx: Parameters<typeof addToTimeline>[0],
  { mitigation, plan, stage }: Running,
  { note, now }: { note: string; now: Date },
): Promise<void> {
  const { id, incident_id: incidentId } = mitigation;
  if (incidentId === null) return;
  const text = `${describePlan(plan)}: ${nameOfStage(plan.shift, stage)}. ${note}`.trim();
  await addToTimeline(tx, { incidentId, at: now, kind: 'mitigation-stage', actor: null, text });
  await enqueue(tx, [
    showProposal(incidentId, id, now),
    showReceipt(incidentId, id, now),
    refreshCard(incidentId, now),
  ]);
}

/** Stepped back, or stopped by somebody while the stage was carried out. */
async function endHere(
  flow: Flow,
  tx: Parameters<typeof endShift>[0],
  { mitigation, plan, stage }: Running,
): Promise<void> {
  const now = flow.clock.now();
  if (!stage.is_back) {
    const note = `Stopped; it stands at ${stage.to_percent} %.`;
    const by = stage.stop_by ?? 'llm-incident';
    await endShift(tx, { mitigation, ending: { to: 'needs-human', note, by, calls: false, now } });
    return;
  }
  const isAtStart = stage.to_percent === plan.shift.from;
  const note = describeBackStep(await stagesOf(tx, mitigation.id), plan.shift);
  const to = isAtStart ? 'reverted' : 'not-contained';
  await endShift(tx, { mitigation, ending: { to, note, by: 'llm-incident', calls: true, now } });
}

/** Nothing of a first stage is in force, so it ends as any run; a later one leaves what was reached, for people. */
async function settleTrouble(flow: Flow, running: Running, outcome: Outcome): Promise<void> {
  const { mitigation, plan, stage } = running;
  const now = flow.clock.now();
  if (stage.number === 1) {
    await moveStage(flow.db, { of: stage, from: 'running', to: 'stopped', set: { settled_at: now } });
    await settleRun(flow, mitigation, outcome);
    if (outcome.kind === 'stale') await proposeAgain(flow, { ...mitigation, outcome: outcome.note });
    return;
  }
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now };
    if ((await moveStage(tx, { of: stage, from: 'running', to: 'stopped', set })) === undefined) return;
    const note = `Stopped before ${nameOfStage(plan.shift, stage)}: ${outcome.note} It stood at ${stage.from_percent} %.`;
    await endShift(tx, {
      mitigation,
      ending: { to: 'needs-human', note, by: 'llm-incident', calls: true, now },
    });
  });
}
