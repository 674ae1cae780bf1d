import { ExternalError } from '../../errors.ts';
import type { Approved } from '../../mitigation/approval.ts';
import { isSameSetting } from '../../mitigation/freer.ts';
import { leavesNothing } from '../../mitigation/in-force.ts';
import { mitigationsOn } from '../../mitigation/lease-store.ts';
import { clearSending, findMitigation, markSending } from '../../mitigation/mitigation-store.ts';
import {
  changedSince,
  currentOf,
  describeSetting,
  hashPlan,
  type Plan,
  parsePlan,
  type Step,
  staleNote,
} from '../../mitigation/plan.ts';
import type { Value } from '../../mitigation/serving.ts';
import { LONGEST_REQUEST_MS, type Target } from '../../mitigation/target.ts';
import type { Flow } from '../flow.ts';
import { afterRefusal, type Outcome, unreadable } from './run-trouble.ts';

/** A target that takes the change and does not show it is asked this often before people are. */
const READ_BACKS = 4;
const READ_BACK_PAUSE_MS = 500;

/** The plan's steps, one after the other. What cannot be known or was refused ends it. */
export async function carryOut(flow: Flow, target: Target, run: StepsRun): Promise<Outcome> {
  const notes: string[] = [];
  const { approved, keyPart = '' } = run;
  for (const [index, step] of run.steps.entries()) {
    const outcome = await tryStep(flow, target, { approved, step, keyPart: `${keyPart}${index}` });
    notes.push(outcome.note);
    if (outcome.kind !== 'applied' && index > 0) {
      return { kind: 'needs-human', note: `Only part of it was done. ${notes.join(' ')}` };
    }
    if (outcome.kind !== 'applied') return outcome;
  }
  return { kind: 'applied', note: notes.join(' ') };
}

interface StepsRun {
  approved: Approved;
  /** Of the approved plan: all of it, or one stage of a shift. */
  steps: readonly Step[];
  /** Tells the requests of this stage from those of others. */
  keyPart?: string;
}

interface StepRun {
  approved: Approved;
  step: Step;
  keyPart: string;
}

/** A step, where a target that does not let itself be read for good is an outcome. */
async function tryStep(flow: Flow, target: Target, run: StepRun): Promise<Outcome> {
  try {
    return await carryOutStep(flow, target, run);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    const { last_sent_at = null } = (await findMitigation(flow.db, run.approved.mitigationId)) ?? {};
    return unreadable({ last_sent_at }, thrown);
  }
}

async function carryOutStep(flow: Flow, target: Target, run: StepRun): Promise<Outcome> {
  const { approved, step, keyPart } = run;
  const state = await target.read([step.setting]);
  if (currentOf(step, state) === step.to) return { kind: 'applied', note: readBackNote(step) };
  const stale = staleNote(changedSince([step], state));
  if (stale !== null) return { kind: 'stale', note: stale };
  await waitOutEarlierRequest(flow, approved.mitigationId);
  const idempotencyKey = `mitigation-${approved.mitigationId}-${keyPart}-${approved.planHash.slice(0, 16)}`;
  try {
    const isGivenBack = await givesBack(flow, approved.plan, step);
    await target.apply(step, { planHash: approved.planHash, idempotencyKey, isGivenBack });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    if (!thrown.outcomeUnknown) await clearSending(flow.db, approved.mitigationId);
    if (thrown.retryable) throw thrown;
    return afterRefusal(target, step, thrown);
  }
  const outcome = await readBack(target, step);
  await clearSending(flow.db, approved.mitigationId);
  return outcome;
}

/** Whether it returns what a mitigation took, by whatever plan. */
async function givesBack(flow: Flow, plan: Plan, step: Step): Promise<boolean> {
  if (leavesNothing(plan)) return true;
  const on = await mitigationsOn(flow.db, { service: plan.service, environment: plan.environment });
  const taken = on.flatMap((one) => (one.plan_hash === hashPlan(plan) ? [] : parsePlan(one.plan).steps));
  return taken.some(({ setting, from }) => isSameSetting(setting, step.setting) && from === step.to);
}

/** The first request of a run that died may still be on its way: nothing is sent until it can no longer land. */
async function waitOutEarlierRequest(flow: Flow, mitigationId: number): Promise<void> {
  const agoMs = await markSendingUnlessRecent(flow, mitigationId);
  if (agoMs === null) return;
  throw new ExternalError('an earlier request of this run could still land; waiting it out', {
    service: 'target',
    retryable: true,
    retryAfterMs: LONGEST_REQUEST_MS - agoMs,
  });
}

/** Null when a request may leave now, else how long ago the earlier one left. */
async function markSendingUnlessRecent(flow: Flow, mitigationId: number): Promise<number | null> {
  return flow.db.transaction().execute((tx) => markSending(tx, mitigationId, LONGEST_REQUEST_MS));
}

async function readBack(target: Target, step: Step): Promise<Outcome> {
  let seen: Value = null;
  for (let attempt = 0; attempt < READ_BACKS; attempt += 1) {
    seen = currentOf(step, await target.read([step.setting]));
    if (seen === step.to) return { kind: 'applied', note: readBackNote(step) };
    await new Promise((resolve) => setTimeout(resolve, READ_BACK_PAUSE_MS));
  }
  const note = `The target accepted the change, but its read-back still says ${describeSetting(step.setting, seen)}.`;
  // It may still land, so somebody has to own it.
  return { kind: 'needs-human', note: `${note} Look at the target before you propose anything else.` };
}

const readBackNote = ({ setting, to }: Step) => `Read-back: ${describeSetting(setting, to)}.`;
