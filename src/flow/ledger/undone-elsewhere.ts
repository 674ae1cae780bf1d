import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { addToTimeline, moveStatus, takeBack } from '../../incident/incident-store.ts';
import { type CarriedOut, carriedOutSince } from '../../mitigation/applied-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { contains } from '../../mitigation/contains.ts';
import { type Mitigation, moveMitigation } from '../../mitigation/mitigation-store.ts';
import { currentOf, describeSetting, parsePlan, type Step } from '../../mitigation/plan.ts';
import { isUnknown, type TargetState } from '../../mitigation/serving.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { refreshCard, showProposal, showReceipt } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { push } from '../room/push-effects.ts';

/** Statuses of which the target's read-back has shown that users are held off. */
const SHOWN = ['applied', 'proven', 'unproven'] as const;

/**
 * What contains and is not what the target serves any more, though no mitigation of ours changed it: somebody did at the
 * target itself. Each is told once, in its room and to the commander. Policy: the incident counts as exposed again where
 * the bot itself took it for contained; the lease stays, for a person must decide.
 */
export async function tellUndone(
  flow: Pick<Flow, 'db'>,
  seen: { held: readonly Mitigation[]; state: TargetState; now: Date },
): Promise<void> {
  const { held, state, now } = seen;
  for (const mitigation of held) {
    // What was applied after the reading began is not in it.
    if (mitigation.applied_at === null || mitigation.applied_at > now) continue;
    const plan = parsePlan(mitigation.plan);
    if (!contains(plan) || plan.steps.every((step) => isServed(step, state))) continue;
    const { service, environment, started_at: startedAt, proposed_at: proposedAt } = mitigation;
    const since = startedAt ?? proposedAt;
    const own = await carriedOutSince(flow.db, { service, environment, since });
    const undone = undoneSteps(plan.steps, { state, later: own.filter(({ id }) => id !== mitigation.id) });
    if (undone.length === 0) continue;
    await flow.db.transaction().execute((tx) => settleUndone(tx, { mitigation, undone, state, now }));
  }
}

/** What is unknown may be so still. */
function isServed(step: Step, state: TargetState): boolean {
  const current = currentOf(step, state);
  return current === step.to || isUnknown(step.setting, current);
}

/** The steps that neither hold any more nor were set to something else by a later mitigation, done or under way. */
export function undoneSteps(
  steps: readonly Step[],
  { state, later }: { state: TargetState; later: readonly Pick<CarriedOut, 'steps'>[] },
): Step[] {
  const isOurs = ({ setting }: Step) =>
    later.some((one) => one.steps.some((changed) => changed.setting === setting));
  return steps.filter((step) => !isServed(step, state) && !isOurs(step));
}

async function settleUndone(
  tx: Tx,
  seen: { mitigation: Mitigation; undone: readonly Step[]; state: TargetState; now: Date },
): Promise<void> {
  const { mitigation, undone, state, now } = seen;
  const { id, incident_id: incidentId, plan_hash: planHash } = mitigation;
  const served = undone.map((step) => describeSetting(step.setting, currentOf(step, state))).join(', ');
  const note = `Undone past the bot, seen at ${now.toISOString().slice(11, 16)} UTC: the target says ${served}.`;
  const outcome = [mitigation.outcome, note].filter((part) => part !== null).join(' ');
  const set = { settled_at: now, outcome };
  const moved = await moveMitigation(tx, { id, from: SHOWN, to: 'not-contained', set });
  if (moved === undefined) return;
  const subject = `mitigation ${id}`;
  const data = { planHash };
  await audit(tx, { at: now, actor: 'llm-incident', action: 'mitigation.undone-elsewhere', subject, data });
  if (incidentId === null) return;
  if (await takeBack(tx, incidentId, ['contained']))
    await moveStatus(tx, { id: incidentId, from: ['contained'], to: 'open' });
  const text = `${describePlan(parsePlan(mitigation.plan))} (mitigation ${id}) is in force no more. ${note}`;
  await addToTimeline(tx, { incidentId, at: now, kind: 'not-contained', actor: null, text });
  const next = `Propose it again; if it was meant, \`/llm-incident mitigate undo ${id}\` ends it here as well.`;
  await enqueue(tx, [
    push(incidentId, now, { occasion: 'not-contained', text: `NOT CONTAINED: ${text} ${next}` }),
    showProposal(incidentId, id, now),
    showReceipt(incidentId, id, now),
    refreshCard(incidentId, now),
  ]);
}
