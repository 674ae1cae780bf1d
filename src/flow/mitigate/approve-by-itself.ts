import { enqueue } from '../../db/jobs.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { approvedBy, type Electorate } from '../../mitigation/approval.ts';
import { audit } from '../../mitigation/audit-store.ts';
import {
  insertVote,
  lockMitigation,
  type Mitigation,
  moveMitigation,
  votesOn,
} from '../../mitigation/mitigation-store.ts';
import { AUTOMATION, parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice, refreshCard, runMitigation, showProposal } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { standingNow } from './approvers.ts';

/** Who counts when nobody voted but the bot: the bot itself, and only while automation is on. */
export function automaticElectorate(
  flow: Pick<Flow, 'automation' | 'config' | 'targetFor'>,
  mitigation: Pick<Mitigation, 'service' | 'environment'>,
): Electorate {
  const mayApprove = flow.automation === 'on' ? [AUTOMATION] : [];
  return { mayApprove, mayBreakGlass: null, standing: standingNow(flow, mitigation) };
}

/** Approves a plan in the bot's own name where the team approved its sort in advance; else it stays as it is. */
export async function approveByItself(flow: Flow, { id }: Mitigation): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const mitigation = await lockMitigation(tx, id);
    if (mitigation?.status !== 'proposed' || now >= mitigation.expires_at) return;
    const { incident_id: incidentId, plan_hash: planHash } = mitigation;
    const vote = { voter: AUTOMATION, choice: 'approve' as const, plan_hash: planHash, reason: null };
    const votes = [...(await votesOn(tx, id)), vote];
    const approved = approvedBy(mitigation, votes, automaticElectorate(flow, mitigation));
    const { standing } = parsePlan(mitigation.plan);
    if (approved === null || standing === null || incidentId === null) return;
    await insertVote(tx, { mitigationId: id, voter: AUTOMATION, choice: 'approve', planHash, at: now });
    await moveMitigation(tx, { id, from: ['proposed'], to: 'approved' });
    const under = { standing: standing.what, standingHash: standing.hash };
    const data = { outcome: 'approved', planHash, ...under };
    await audit(tx, {
      at: now,
      actor: AUTOMATION,
      action: 'mitigation.approve',
      subject: `mitigation ${id}`,
      data,
    });
    const what = `${describePlan(approved.plan)}, by itself under the standing approval \`${standing.what}\``;
    await addToTimeline(tx, {
      incidentId,
      at: now,
      kind: 'approved',
      actor: null,
      text: `Approved: ${what}.`,
    });
    const text = `Runs now: ${what}. \`/llm-incident mitigate undo ${id}\` takes it back.`;
    await enqueue(tx, [
      notice(incidentId, now, { text, aloud: true }),
      runMitigation(mitigation, now),
      showProposal(incidentId, id, now),
      refreshCard(incidentId, now),
    ]);
  });
}
