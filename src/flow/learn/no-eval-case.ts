import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, type timelineOf } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import type { PostmortemRecord } from '../../postmortem/record.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { showPostmortem } from './duty-effects.ts';
import { leadsOf } from './leads.ts';

export const NO_EVAL_CASE = 'no-eval-case';

export type NoEvalCase = { kind: 'kept' } | { kind: 'no-reason' } | { kind: 'not-allowed'; who: string[] };

/**
 * Keeps why an incident leaves no eval case. Policy: that is for the engineering lead, or for the owner of the service
 * where there is none.
 */
export async function giveNoEvalCase(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { incident, by, reason }: { incident: Incident; by: string; reason: string },
): Promise<NoEvalCase> {
  const who = leadsOf(flow, incident);
  if (who.length > 0 && !who.includes(by)) return { kind: 'not-allowed', who };
  if (reason.trim() === '') return { kind: 'no-reason' };
  const at = flow.clock.now();
  const { id: incidentId } = incident;
  await flow.db.transaction().execute(async (tx) => {
    await addToTimeline(tx, { incidentId, at, kind: NO_EVAL_CASE, actor: by, text: reason.trim() });
    const data = { reasonDigest: digestOf(reason.trim()) };
    await audit(tx, { at, actor: by, action: 'eval.none', subject: nameOf(incidentId), data });
    await enqueue(tx, [showPostmortem(incidentId, at), refreshCard(incidentId, at)]);
  });
  return { kind: 'kept' };
}

/** The newest reason, if any. */
export function noEvalCaseOf(
  timeline: Awaited<ReturnType<typeof timelineOf>>,
): PostmortemRecord['noEvalCaseReason'] {
  const found = timeline.findLast(({ kind }) => kind === NO_EVAL_CASE);
  return found === undefined ? undefined : { text: found.text, by: found.actor ?? 'unknown' };
}
