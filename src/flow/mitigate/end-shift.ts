import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { type Mitigation, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan } from '../../mitigation/plan.ts';
import { subjectOf } from '../../mitigation/serving.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { notice, refreshCard, showProposal, showReceipt } from '../effects.ts';
import { push } from '../room/push-effects.ts';

export interface ShiftEnding {
  /**
   * `reverted`: the arm has what it had before. `not-contained`: it was worse, and has less. `unproven`: held, since it could
   * not be told. `needs-human`: stopped where it is. `withdrawn`: stopped before anything was changed.
   */
  to: 'reverted' | 'not-contained' | 'unproven' | 'needs-human' | 'withdrawn';
  note: string;
  by: string;
  /** Whether people must come and decide. */
  calls: boolean;
  now: Date;
}

/** A shift that ends before all of the traffic is there; false when somebody ended it first. */
export async function endShift(
  tx: Tx,
  { mitigation, ending }: { mitigation: Mitigation; ending: ShiftEnding },
): Promise<boolean> {
  const { id, incident_id: incidentId } = mitigation;
  const { to, note, by, calls, now } = ending;
  const set = { settled_at: now, outcome: note };
  const moved = await moveMitigation(tx, { id, from: ['running'], to, set });
  if (moved === undefined) return false;
  const data = { planHash: mitigation.plan_hash };
  await audit(tx, { at: now, actor: by, action: `mitigation.${to}`, subject: `mitigation ${id}`, data });
  const incident = incidentId === null ? undefined : await findIncident(tx, incidentId);
  if (incident === undefined) return true;
  const plan = parsePlan(mitigation.plan);
  const text = `${describePlan(plan)}: ${note}`;
  const actor = by === 'llm-incident' ? null : by;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: `mitigation-${to}`, actor, text });
  const isBack = to === 'reverted' || to === 'withdrawn';
  const next = isBack ? '' : ` ${nextOf(plan, id)}`;
  await enqueue(tx, [
    calls
      ? push(incident.id, now, { occasion: OCCASION[to], text: `${text}${next}`, actors: [by] })
      : notice(incident.id, now, { text: `${text}${next}` }),
    showProposal(incident.id, id, now),
    showReceipt(incident.id, id, now),
    refreshCard(incident.id, now),
  ]);
  return true;
}

const OCCASION = {
  reverted: 'failed',
  'not-contained': 'not-contained',
  unproven: 'unproven',
  'needs-human': 'failed',
  withdrawn: 'failed',
} as const;

/** It is in force with less than all of the traffic: on, or back. */
function nextOf({ shift }: Plan, id: number): string {
  const arm = subjectOf(shift?.setting ?? '') ?? '';
  return `Next: \`/llm-incident mitigate shift ${arm}\` goes on from there, \`/llm-incident mitigate undo ${id}\` takes it back.`;
}
