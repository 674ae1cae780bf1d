import { z } from 'zod';
import { enqueue, type Job } from '../db/jobs.ts';
import { ExternalError, messageOf } from '../errors.ts';
import { settleClocks } from '../incident/clock-store.ts';
import { addToTimeline, moveStatus, RECORDED_BY, reach } from '../incident/incident-store.ts';
import { type Approved, approvedBy } from '../mitigation/approval.ts';
import { audit } from '../mitigation/audit-store.ts';
import {
  clearSending,
  findMitigation,
  type Mitigation,
  markSending,
  moveMitigation,
  votesOn,
} from '../mitigation/mitigation-store.ts';
import {
  changedSince,
  contains,
  currentOf,
  describeSetting,
  describeSteps,
  type Plan,
  parsePlan,
  type Step,
  staleNote,
} from '../mitigation/plan.ts';
import type { Value } from '../mitigation/serving.ts';
import { LONGEST_REQUEST_MS, type Target } from '../mitigation/target.ts';
import { IN_FORCE } from './aim.ts';
import { standingNow } from './approvers.ts';
import { refreshCard, showProposal, showReceipt } from './effects.ts';
import { type Flow, minutesToMs } from './flow.ts';
import { leaseOf } from './lease.ts';
import { proposeAgain } from './propose.ts';

const payload = z.object({ mitigationId: z.number() });

type Outcome = { kind: 'applied'; note: string } | { kind: 'failed' | 'stale' | 'needs-human'; note: string };

/** A target that takes the change and does not show it is asked this often before people are. */
const READ_BACKS = 4;
const READ_BACK_PAUSE_MS = 500;

/**
 * Carries an approved plan out with at most one effect. A run that was cut short first asks the target what is true,
 * and sends nothing again while the earlier request could still land.
 */
export async function runMitigation(flow: Flow, job: Job): Promise<void> {
  const { mitigationId } = payload.parse(job.payload);
  const mitigation = await begin(flow, mitigationId);
  if (mitigation === null) return;
  const votes = await votesOn(flow.db, mitigationId);
  const approved = approvedBy(mitigation, votes, standingNow(flow, mitigation));
  if (approved === null) {
    await settle(flow, mitigation, {
      kind: 'failed',
      note: 'The votes do not approve this plan. Nothing was sent.',
    });
    return;
  }
  const target = flow.targetFor(approved.plan);
  if (target === null) {
    await settle(flow, mitigation, {
      kind: 'failed',
      note: 'The service has no target any more. Nothing was sent.',
    });
    return;
  }
  if (isTooLate(flow, mitigation)) {
    await settle(flow, mitigation, { kind: 'needs-human', note: TOO_LATE });
    return;
  }
  const outcome = await carryOut(flow, target, approved);
  await settle(flow, mitigation, outcome);
  if (outcome.kind === 'stale') await proposeAgain(flow, { ...mitigation, outcome: outcome.note });
}

const TOO_LATE =
  'The target did not answer in time, so whether the change was made is not known. Look at the target, then decide.';

/** An approval is for now: a target that stays away is not surprised hours later. */
function isTooLate(flow: Flow, mitigation: Mitigation): boolean {
  const startedAt = mitigation.started_at ?? flow.clock.now();
  const limitMs = minutesToMs(flow.config.approval_expires_minutes);
  return flow.clock.now().getTime() - startedAt.getTime() > limitMs;
}

/** Claims the run; null when it is settled already. A run in progress is one that was cut short. */
async function begin(flow: Flow, id: number): Promise<Mitigation | null> {
  const set = { started_at: flow.clock.now() };
  const fresh = await moveMitigation(flow.db, { id, from: ['approved'], to: 'running', set });
  if (fresh !== undefined) return fresh;
  const known = await findMitigation(flow.db, id);
  return known?.status === 'running' ? known : null;
}

async function carryOut(flow: Flow, target: Target, approved: Approved): Promise<Outcome> {
  const notes: string[] = [];
  for (const [index, step] of approved.plan.steps.entries()) {
    const outcome = await carryOutStep(flow, target, { approved, step, index });
    notes.push(outcome.note);
    if (outcome.kind !== 'applied' && index > 0) {
      return { kind: 'needs-human', note: `Only part of it was done. ${notes.join(' ')}` };
    }
    if (outcome.kind !== 'applied') return outcome;
  }
  return { kind: 'applied', note: notes.join(' ') };
}

interface StepRun {
  approved: Approved;
  step: Step;
  index: number;
}

async function carryOutStep(flow: Flow, target: Target, run: StepRun): Promise<Outcome> {
  const { approved, step, index } = run;
  const state = await target.read([step.setting]);
  if (currentOf(step, state) === step.to) return { kind: 'applied', note: readBackNote(step) };
  const stale = staleNote(changedSince([step], state));
  if (stale !== null) return { kind: 'stale', note: stale };
  await waitOutEarlierRequest(flow, approved.mitigationId);
  const idempotencyKey = `mitigation-${approved.mitigationId}-${index}-${approved.planHash.slice(0, 16)}`;
  try {
    await target.apply(step, { planHash: approved.planHash, idempotencyKey });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    if (!thrown.outcomeUnknown) await clearSending(flow.db, approved.mitigationId);
    if (thrown.retryable) throw thrown;
    return { kind: 'failed', note: `The target refused: ${messageOf(thrown)}.` };
  }
  await clearSending(flow.db, approved.mitigationId);
  return readBack(target, step);
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
  return { kind: 'failed', note: `${note} Look at the target before you propose anything else.` };
}

const readBackNote = ({ setting, to }: Step) => `Read-back: ${describeSetting(setting, to)}.`;

async function settle(flow: Flow, mitigation: Mitigation, outcome: Outcome): Promise<void> {
  const now = flow.clock.now();
  const plan = parsePlan(mitigation.plan);
  const incidentId = plan.incidentId;
  await flow.db.transaction().execute(async (tx) => {
    const applied = outcome.kind === 'applied';
    const proveBy = new Date(now.getTime() + minutesToMs(flow.config.prove_within_minutes));
    const set = applied
      ? { applied_at: now, prove_by: proveBy, outcome: outcome.note, ...leaseOf(flow, mitigation, now) }
      : { settled_at: now, outcome: outcome.note };
    const moved = await moveMitigation(tx, { id: mitigation.id, from: ['running'], to: outcome.kind, set });
    if (moved === undefined) return;
    await audit(tx, {
      at: now,
      actor: 'llm-incident',
      action: `mitigation.${outcome.kind}`,
      subject: `mitigation ${mitigation.id}`,
      data: { planHash: mitigation.plan_hash },
    });
    if (incidentId === null) return;
    const text = `${describeSteps(plan.steps)}: ${outcome.kind}. ${outcome.note}`;
    await addToTimeline(tx, { incidentId, at: now, kind: `mitigation-${outcome.kind}`, actor: null, text });
    if (applied && contains(plan)) await markContained(tx, { incidentId, at: now });
    if (applied) await markReverted(tx, { plan, incidentId, by: mitigation.id, at: now });
    const shown = [showProposal(incidentId, mitigation.id, now), showReceipt(incidentId, mitigation.id, now)];
    await enqueue(tx, [...shown, refreshCard(incidentId, now)]);
  });
}

/** What an undo took back is in force no more. */
async function markReverted(
  tx: Parameters<typeof reach>[0],
  what: { plan: Plan; incidentId: number; by: number; at: Date },
): Promise<void> {
  const { plan, incidentId, by, at } = what;
  const { undoes } = plan.wish;
  if (undoes === null) return;
  const set = { settled_at: at, outcome: `Taken back by mitigation ${by}.` };
  const moved = await moveMitigation(tx, { id: undoes, from: IN_FORCE, to: 'reverted', set });
  if (moved === undefined) return;
  await audit(tx, {
    at,
    actor: 'llm-incident',
    action: 'mitigation.reverted',
    subject: `mitigation ${undoes}`,
    data: { by },
  });
  await enqueue(tx, [showProposal(incidentId, undoes, at), showReceipt(incidentId, undoes, at)]);
}

/** Contained: the target's read-back shows the containing state. */
async function markContained(
  tx: Parameters<typeof reach>[0],
  what: { incidentId: number; at: Date },
): Promise<void> {
  const { incidentId, at } = what;
  await moveStatus(tx, { id: incidentId, from: ['triage', 'open'], to: 'contained' });
  await reach(tx, { incidentId, name: 'contained', at, recordedAt: at, by: RECORDED_BY.readBack });
  await settleClocks(tx, { incidentId, kinds: ['contain'], state: 'met', at });
}
