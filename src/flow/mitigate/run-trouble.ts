import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type Mitigation, votesOn } from '../../mitigation/mitigation-store.ts';
import { currentOf, describeSetting, describeSteps, parsePlan, type Step } from '../../mitigation/plan.ts';
import type { TargetState } from '../../mitigation/serving.ts';
import { describePlan } from '../../mitigation/shift.ts';
import type { Target } from '../../mitigation/target.ts';
import { push } from '../room/push-effects.ts';

/** How carrying out one step, or a whole plan, ended. */
export interface Outcome {
  kind: 'applied' | 'failed' | 'stale' | 'needs-human';
  note: string;
}

const NOT_KNOWN = 'whether the change was made is not known. Look at the target, then decide.';

/** The approval is too old to send anything; `last_sent_at` tells whether an earlier request may have landed. */
export function tooLate({ last_sent_at, plan }: Pick<Mitigation, 'last_sent_at' | 'plan'>): Outcome {
  if (last_sent_at !== null || parsePlan(plan).steps.length > 1)
    return { kind: 'needs-human', note: `The target did not answer in time, so ${NOT_KNOWN}` };
  return {
    kind: 'needs-human',
    note: 'The target could not be used in time. Nothing was changed. Look at the target, then decide.',
  };
}

/** The target said for good that it does not tell what it serves. */
export function unreadable(mitigation: Pick<Mitigation, 'last_sent_at'>, thrown: ExternalError): Outcome {
  const why = `The target could not be read: ${messageOf(thrown)}.`;
  return mitigation.last_sent_at === null
    ? { kind: 'failed', note: `${why} It was not sent.` }
    : { kind: 'needs-human', note: `${why} A request was sent before, and ${NOT_KNOWN}` };
}

/**
 * Policy: a final refusal is told with what the target says now. What is as wanted all the same is applied, what became
 * something else is overtaken, and where the refusal may have changed something a person must look.
 */
export async function afterRefusal(target: Target, step: Step, refused: ExternalError): Promise<Outcome> {
  const why = `The target refused: ${messageOf(refused)}.`;
  const state = await stateNow(target, step);
  const now = state === null ? null : currentOf(step, state);
  const said = describeSetting(step.setting, now);
  if (state !== null && now === step.to) return { kind: 'applied', note: `Read-back: ${said}.` };
  if (refused.outcomeUnknown) {
    const seen = state === null ? 'Its read-back failed too' : `Its read-back says ${said}`;
    return { kind: 'needs-human', note: `${why} ${seen}; ${NOT_KNOWN}` };
  }
  if (state === null || now === step.from) return { kind: 'failed', note: why };
  const began = `${describeSteps([step])} began at ${describeSetting(step.setting, step.from)}`;
  return { kind: 'stale', note: `The plan is stale: ${began}, now it is ${said}. ${why}` };
}

async function stateNow(target: Target, { setting }: Step): Promise<TargetState | null> {
  try {
    return await target.read([setting]);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return null;
  }
}

/**
 * Policy: a run that ended badly calls the commander, or where nobody leads who is on call; never who voted for it, who
 * looks already. Once, with the settling.
 */
export async function callAboutRun(
  tx: Tx,
  { mitigation, note, now }: { mitigation: Mitigation; note: string; now: Date },
): Promise<void> {
  const { incident_id: incidentId, status } = mitigation;
  const incident = incidentId === null ? undefined : await findIncident(tx, incidentId);
  if (incident === undefined) return;
  const voters = (await votesOn(tx, mitigation.id)).map(({ voter }) => voter);
  const headline = status === 'failed' ? 'FAILED' : 'STOPPED, a person must look';
  const next = 'Next: look at the target, then `/llm-incident mitigate` or the fallback on the card.';
  const text = `${headline}: ${describePlan(parsePlan(mitigation.plan))}. ${note} ${next}`;
  await enqueue(tx, push(incident.id, now, { occasion: 'failed', text, actors: voters }));
}
