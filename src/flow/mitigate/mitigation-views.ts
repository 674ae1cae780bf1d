import type { MitigationStatus } from '../../db/schema.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findMitigation, type Mitigation, votesOn } from '../../mitigation/mitigation-store.ts';
import { describeSetting, describeSteps, type Plan, parsePlan } from '../../mitigation/plan.ts';
import { type ProofReport, readProof } from '../../mitigation/proof.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { inWords } from '../../postmortem/duration.ts';
import type { Flow } from '../flow.ts';
import type { ProposalView, ReceiptView } from '../ports.ts';
import { decidersOf } from './deciders.ts';
import { rehearsalView } from './rehearsal-views.ts';
import { stageLines } from './shift-lines.ts';

/** The proposal as it stands: open with its buttons, or settled with what became of it. */
export async function loadProposal(
  flow: Pick<Flow, 'db' | 'config' | 'chat' | 'log' | 'pager' | 'targetFor'>,
  mitigationId: number,
): Promise<ProposalView> {
  const mitigation = await mustFind(flow, mitigationId);
  const plan = parsePlan(mitigation.plan);
  const { undo } = plan;
  return {
    mitigationId,
    planHash: mitigation.plan_hash,
    incidentId: plan.incidentId ?? 0,
    summary: describePlan(plan),
    from: plan.steps.map((step) => describeSetting(step.setting, step.from)).join(', '),
    to: describeAim(plan),
    why: plan.why,
    blastRadius: plan.blastRadius,
    undo:
      undo.length === 0
        ? 'The target does not say what it serves now, so there is no undo.'
        : describeSteps(undo),
    proposedBy: mitigation.proposed_by,
    ...(await decidersOf(flow, mitigation, await votesOn(flow.db, mitigationId))),
    rehearsal: await rehearsalView(flow, { mitigationId, plan }),
    expiresAt: mitigation.expires_at,
    state: mitigation.status === 'proposed' ? 'open' : 'settled',
    outcome: mitigation.status === 'proposed' ? null : describeOutcome(mitigation),
  };
}

/** What is served then; of a shift its stages as well. */
function describeAim({ steps, shift }: Plan): string {
  const then = steps.map((step) => describeSetting(step.setting, step.to)).join(', ');
  return shift === null ? then : `${then}, by ${shift.stages.join(' → ')} % of the traffic`;
}

function describeOutcome({ status, outcome }: Mitigation): string {
  return [STATE_IN_WORDS[status], outcome].filter((part) => part !== null && part !== '').join(' ');
}

const STATE_IN_WORDS: Record<MitigationStatus, string> = {
  proposed: '',
  approved: 'It runs now.',
  running: 'It runs now.',
  applied: 'Applied; the proof is being gathered.',
  proven: 'Applied and proven.',
  unproven: 'Applied, not proven.',
  'not-contained': 'Applied, and it did not help.',
  failed: 'It failed.',
  stale: 'Stale: the world changed after it was proposed.',
  rejected: '',
  withdrawn: '',
  expired: 'Expired.',
  'needs-human': 'Stopped: a person must look.',
  reverted: 'Taken back.',
};

const VERDICTS: Partial<Record<MitigationStatus, ReceiptView['verdict']>> = {
  applied: 'proving',
  proven: 'proven',
  unproven: 'unproven',
  'not-contained': 'not-contained',
  failed: 'failed',
  stale: 'stale',
  'needs-human': 'needs-human',
  reverted: 'reverted',
};

/** The receipt as it stands, from the first read-back to the verdict. */
export async function loadReceipt(flow: Pick<Flow, 'db'>, mitigationId: number): Promise<ReceiptView> {
  const mitigation = await mustFind(flow, mitigationId);
  const plan = parsePlan(mitigation.plan);
  const proof = readProof(mitigation.proof);
  const verdict = VERDICTS[mitigation.status] ?? 'proving';
  const incident = plan.incidentId === null ? undefined : await findIncident(flow.db, plan.incidentId);
  return {
    mitigationId,
    summary: describePlan(plan),
    verdict,
    lines: [
      ...(await stageLines(flow.db, mitigationId, plan)),
      mitigation.outcome,
      ...(proof?.lines ?? []),
      effectLine(proof),
    ].filter((line): line is string => line !== null && line !== ''),
    next: nextStep(verdict, { proof, incidentStatus: incident?.status, outcome: mitigation.outcome }),
  };
}

/** How long the change took to reach users, where live calls have shown it. */
function effectLine(proof: ProofReport | null): string | null {
  const ms = proof?.timeToEffectMs ?? null;
  return ms === null ? null : `Time to effect: ${ms < 1000 ? 'at once' : inWords(ms)}.`;
}

function nextStep(
  verdict: ReceiptView['verdict'],
  seen: { proof: ProofReport | null; incidentStatus: string | undefined; outcome: string | null },
): string | null {
  const { proof, incidentStatus, outcome } = seen;
  if (verdict === 'proving') return null;
  if (verdict === 'proven')
    return incidentStatus === 'mitigated' ? '`/llm-incident resolve` when users are well.' : null;
  if (verdict === 'not-contained')
    return (
      proof?.next ?? 'The tree in the thread of the card offers the next branch; the fallback is on the card.'
    );
  if (verdict === 'stale')
    return outcome?.includes('takes its place')
      ? 'Decide on the proposal that takes its place; it starts from what is served now.'
      : 'Propose it again; the new plan starts from what is served now.';
  if (verdict === 'reverted') return null;
  return 'Look at the target, then `/llm-incident mitigate` or the fallback on the card.';
}

async function mustFind(flow: Pick<Flow, 'db'>, id: number): Promise<Mitigation> {
  const found = await findMitigation(flow.db, id);
  if (found === undefined) throw new Error(`mitigation ${id} does not exist`);
  return found;
}
