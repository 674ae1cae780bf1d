import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import type { Called } from '../../mitigation/approval.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { summon } from '../page/summon.ts';
import { approverIds } from './approvers.ts';
import type { Vote } from './ballot.ts';

/** The kind of the timeline's entry, which asks for a review in the post-mortem. */
export const BREAK_GLASS = 'break-glass';

/** Whom it calls when this person runs it alone. */
export function calledFor(
  flow: Pick<Flow, 'config'>,
  { service, by }: { service: string; by: string },
): { who: Called; people: string[] } {
  const others = (ids: readonly string[]) => ids.filter((id) => id !== by);
  const leads = others(flow.config.contacts.engineering_lead);
  if (leads.length > 0) return { who: 'lead', people: leads };
  const people = others(approverIds(flow, service));
  return { who: people.length > 0 ? 'approvers' : 'nobody', people };
}

/**
 * Tells that one person runs a plan alone. Policy: the engineering lead is called, or where that is the person or
 * nobody is named, whoever else may approve; it has to be reviewed in the post-mortem.
 */
export async function announceBreakGlass(
  flow: Pick<Flow, 'config' | 'pager'>,
  tx: Tx,
  { mitigation, ballot, now }: Vote,
): Promise<void> {
  const incidentId = mitigation.incident_id as number;
  const what = describePlan(parsePlan(mitigation.plan));
  const reason = (ballot.reason ?? '').trim();
  await addToTimeline(tx, {
    incidentId,
    at: now,
    kind: BREAK_GLASS,
    actor: ballot.voter,
    text: `Break-glass: ${what}. Why: ${reason}`,
    data: { mitigationId: mitigation.id },
  });
  const text =
    `Break-glass: proposal ${mitigation.id} runs now on the word of one person: ${what}. Why: ${/[.!?…]$/.test(reason) ? reason : `${reason}.`} ` +
    'Look at it now, and review it later with `/llm-incident postmortem review TEXT`.';
  const { people } = calledFor(flow, { service: mitigation.service, by: ballot.voter });
  if (people.length === 0) return enqueue(tx, notice(incidentId, now, { text, aloud: true }));
  await summon(flow, tx, { incidentId, people, text, key: `break-glass:${mitigation.id}`, now });
}
