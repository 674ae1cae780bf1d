import { max } from 'date-fns';
import { z } from 'zod';
import type { Job } from '../../db/jobs.ts';
import {
  findMitigation,
  type Mitigation,
  moveMitigation,
  votesOn,
} from '../../mitigation/mitigation-store.ts';
import type { Plan } from '../../mitigation/plan.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { carryOut } from './carry-out.ts';
import { confirmApproval } from './confirm-approval.ts';
import { IN_ITS_PLACE, proposeAgain } from './propose.ts';
import { beginShift } from './run-shift.ts';
import { type Outcome, tooLate } from './run-trouble.ts';
import { describeGap, releaseGap } from './safety-release.ts';
import { settleRun } from './settle-run.ts';

const payload = z.object({ mitigationId: z.number() });

/**
 * Carries an approved plan out with at most one effect. A run that was cut short first asks the target what is true,
 * and sends nothing again while the earlier request could still land.
 */
export async function runMitigation(flow: Flow, job: Job): Promise<void> {
  const { mitigationId } = payload.parse(job.payload);
  const mitigation = await begin(flow, mitigationId);
  if (mitigation === null) return;
  const outcome = await outcomeOf(flow, mitigation, job.attempts > 1);
  if (outcome === null) return;
  await settleRun(flow, mitigation, outcome);
  if (outcome.kind === 'stale') await proposeAgain(flow, { ...mitigation, outcome: outcome.note });
}

/** Null: it goes on by stages, each in a run of its own. */
async function outcomeOf(flow: Flow, mitigation: Mitigation, isAgain: boolean): Promise<Outcome | null> {
  const { status, outcome } = mitigation;
  if (status === 'stale') return { kind: 'stale', note: outcome ?? '' };
  const isLate = await isTooLate(flow, mitigation);
  const approved = await confirmApproval(flow, mitigation, { mayWait: !isLate });
  if (approved === null)
    return { kind: 'failed', note: 'The votes do not approve this plan. Nothing was sent.' };
  const target = flow.targetFor(approved.plan);
  if (target === null)
    return { kind: 'failed', note: 'The service has no target any more. Nothing was sent.' };
  if (isLate) return tooLate(mitigation);
  const held = await heldBack(flow, { ...approved.plan, mitigationId: mitigation.id }, isAgain);
  if (held !== null) return held;
  const { shift, steps } = approved.plan;
  if (shift === null) return carryOut(flow, target, { approved, steps });
  await beginShift(flow, mitigation, shift);
  return null;
}

/** What a safety incident took away is not set back on; a run that was cut short may have done so in part. */
async function heldBack(
  flow: Flow,
  plan: Plan & { mitigationId: number },
  isAgain: boolean,
): Promise<Outcome | null> {
  const gap = await releaseGap(flow, flow.db, plan);
  if (gap === null) return null;
  const why = describeGap(gap, { mentions: false });
  return isAgain
    ? { kind: 'needs-human', note: `${why} The run was stopped; look at the target, part of it may be done.` }
    : { kind: 'failed', note: `${why} Nothing was sent.` };
}

/**
 * Policy: an approval is for now. What was not carried out within as long as a proposal waits, because the target or the
 * bot itself was away, surprises nobody hours later.
 */
async function isTooLate(flow: Flow, { id, started_at }: Mitigation): Promise<boolean> {
  const now = flow.clock.now();
  const approvals = (await votesOn(flow.db, id)).filter(({ choice }) => choice !== 'reject');
  const approvedAt = max([
    ...approvals.map(({ at }) => at),
    ...(approvals.length === 0 ? [started_at ?? now] : []),
  ]);
  return now.getTime() - approvedAt.getTime() > minutesToMs(flow.config.approval_expires_minutes);
}

/** Claims the run; null when it is settled already. One in progress, or stale and not replaced, was cut short. */
async function begin(flow: Flow, id: number): Promise<Mitigation | null> {
  const set = { started_at: flow.clock.now() };
  const fresh = await moveMitigation(flow.db, { id, from: ['approved'], to: 'running', set });
  if (fresh !== undefined) return fresh;
  const known = await findMitigation(flow.db, id);
  if (known?.status === 'stale') return known.outcome?.includes(IN_ITS_PLACE) ? null : known;
  return known?.status === 'running' ? known : null;
}
