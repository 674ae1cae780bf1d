import { z } from 'zod';
import { enqueue, type Job, type NewJob } from '../../db/jobs.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { approversOn } from '../../mitigation/approval.ts';
import { neededFor } from '../../mitigation/approval-class.ts';
import {
  claimUnanswered,
  lockMitigation,
  type Mitigation,
  votesOn,
} from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { summon } from '../page/summon.ts';
import { readElectorate } from './approvers.ts';

const payload = z.object({ mitigationId: z.number() });

export const CALL_APPROVERS = 'call-approvers';

/** Claims the proposals that nobody decided on in time, each once, so that their approvers are called. */
export async function nudgeApprovers(flow: Pick<Flow, 'db' | 'clock' | 'config'>): Promise<void> {
  const now = flow.clock.now();
  const proposedBefore = new Date(now.getTime() - minutesToMs(flow.config.approval_nudge_minutes));
  await flow.db.transaction().execute(async (tx) => {
    const unanswered = await claimUnanswered(tx, { proposedBefore, now });
    await enqueue(
      tx,
      unanswered.map(({ id }) => callJob(id, now)),
    );
  });
}

const callJob = (mitigationId: number, now: Date): NewJob => ({
  kind: CALL_APPROVERS,
  payload: { mitigationId },
  runAt: now,
  dedupeKey: `${CALL_APPROVERS}:${mitigationId}`,
});

/**
 * Pages those who may still approve. Policy: a proposal that nobody decided on within the configured minutes calls
 * everybody whose approval would count, but neither whoever proposed it nor those who approved it already.
 */
export async function callApprovers(flow: Flow, job: Job): Promise<void> {
  const { mitigationId } = payload.parse(job.payload);
  const known = await flow.db.transaction().execute((tx) => lockMitigation(tx, mitigationId));
  if (known === undefined || known.incident_id === null || known.status !== 'proposed') return;
  const people = await stillToDecide(flow, known);
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const open = await lockMitigation(tx, mitigationId);
    if (open?.status !== 'proposed') return;
    const incidentId = known.incident_id as number;
    const what = describePlan(parsePlan(known.plan));
    const waited = Math.round((now.getTime() - known.proposed_at.getTime()) / 60_000);
    const text =
      `Proposal ${mitigationId} has waited ${waited} minutes for a decision: ${what}. ` +
      'Its buttons are in this room: approve or reject it.';
    if (!(await summon(flow, tx, { incidentId, people, text, key: `approval:${mitigationId}`, now }))) return;
    const entry = `Nobody has decided for ${waited} minutes: ${what}. Those who may were called.`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'approvers-called', actor: null, text: entry });
  });
}

async function stillToDecide(flow: Flow, mitigation: Mitigation): Promise<string[]> {
  const electorate = await readElectorate(flow, mitigation, { alone: false });
  const { mayApprove, standing } = electorate;
  const needed = neededFor(parsePlan(mitigation.plan), standing);
  const done = approversOn(mitigation, await votesOn(flow.db, mitigation.id), { needed, mayApprove });
  const isOut = (id: string) => id === mitigation.proposed_by || done.includes(id);
  const people = mayApprove.filter((id) => !isOut(id));
  return people.length > 0 ? people : flow.config.contacts.engineering_lead.filter((id) => !isOut(id));
}
