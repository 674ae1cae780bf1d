import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { ExternalError } from '../errors.ts';
import { type Incident, LIVE } from '../incident/incident.ts';
import { addToTimeline, findIncident, lockIncident } from '../incident/incident-store.ts';
import { classOf } from '../mitigation/approval.ts';
import { audit } from '../mitigation/audit-store.ts';
import {
  insertProposal,
  type Mitigation,
  mitigationsOf,
  moveMitigation,
} from '../mitigation/mitigation-store.ts';
import { describeSteps, hashPlan, type Plan, parsePlan, type Step, stepsTo } from '../mitigation/plan.ts';
import { kindOf, problemWith, type Setting, type TargetState } from '../mitigation/serving.ts';
import type { Target } from '../mitigation/target.ts';
import { type Aim, aimAt, IN_FORCE, type WantedState, wantedAgain } from './aim.ts';
import { standingNow } from './approvers.ts';
import { blastRadius } from './blast-radius.ts';
import { refreshCard, showProposal, showReceipt } from './effects.ts';
import { type Flow, minutesToMs } from './flow.ts';
import { goesForward } from './known-good.ts';
import { offenderOf } from './offender.ts';

export type Proposed =
  | { kind: 'proposed' | 'already-proposed'; mitigation: Mitigation; summary: string }
  | { kind: 'ended'; status: Incident['status'] }
  | { kind: 'no-service' | 'no-target' | 'no-known-good' }
  | { kind: 'nothing-to-undo'; why: string }
  | { kind: 'wrong'; problem: string }
  | { kind: 'cannot'; target: string; setting: Setting }
  | { kind: 'nothing-to-change'; summary: string }
  | { kind: 'target-unreachable'; problem: string };

export interface Proposing {
  incident: Incident;
  by: string;
  wanted: WantedState;
}

/**
 * Proposes a mitigation: what the target serves now is read, the wanted state comes from the person or is the last
 * one in the ledger that was green before the onset, and the plan is hashed as it is shown.
 */
export async function propose(flow: Flow, { incident, by, wanted }: Proposing): Promise<Proposed> {
  const isUndo = typeof wanted === 'object' && 'undo' in wanted;
  if (!mayPropose(incident, isUndo)) return { kind: 'ended', status: incident.status };
  const { service, environment } = incident;
  if (service === null) return { kind: 'no-service' };
  const target = flow.targetFor({ service, environment });
  if (target === null) return { kind: 'no-target' };
  const aimed = await aimAt(flow, incident, wanted);
  if (aimed.kind !== 'aim') return aimed;
  const { aim } = aimed;
  const problem = aim.wanted.map(problemWith).find((found) => found !== null);
  if (problem != null) return { kind: 'wrong', problem };
  const refused = aim.wanted.map((step) => target.refuses?.(step) ?? null).find((why) => why !== null);
  if (refused != null) return { kind: 'wrong', problem: refused };
  const beyond = aim.wanted.find(({ setting }) => !target.can(setting));
  if (beyond !== undefined) return { kind: 'cannot', target: target.describe(), setting: beyond.setting };
  const read = await readNow(
    target,
    aim.wanted.map(({ setting }) => setting),
  );
  if (read.kind === 'target-unreachable') return read;
  const steps = stepsTo(aim.wanted, read.state);
  if (steps.length === 0) return nothingToChange(flow, { incident, aim, by });
  const plan = await planOf(flow, { incident, service, target, aim, steps });
  return flow.db.transaction().execute((tx) => save(flow, tx, { plan, incident, by }));
}

/** Proposes the wish of a stale plan again, from what is served now and in the name of whoever proposed it. */
export async function proposeAgain(flow: Flow, stale: Mitigation): Promise<Proposed | null> {
  const incident = stale.incident_id === null ? undefined : await findIncident(flow.db, stale.incident_id);
  if (incident === undefined) return null;
  const outcome = await propose(flow, {
    incident,
    by: stale.proposed_by,
    wanted: wantedAgain(parsePlan(stale.plan)),
  });
  if (outcome.kind !== 'proposed' && outcome.kind !== 'already-proposed') return outcome;
  const { id } = outcome.mitigation;
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const set = { outcome: `${stale.outcome ?? ''} Proposal ${id} takes its place.`.trim() };
    await moveMitigation(tx, { id: stale.id, from: ['stale'], to: 'stale', set });
    await enqueue(tx, [showProposal(incident.id, stale.id, now), showReceipt(incident.id, stale.id, now)]);
  });
  return outcome;
}

/** What is in force must be given back also when the incident is over. */
function mayPropose({ status }: Incident, isUndo: boolean): boolean {
  return LIVE.includes(status) || (isUndo && status === 'resolved');
}

async function readNow(
  target: Target,
  about: readonly Setting[],
): Promise<{ kind: 'read'; state: TargetState } | { kind: 'target-unreachable'; problem: string }> {
  try {
    return { kind: 'read', state: await target.read(about) };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return { kind: 'target-unreachable', problem: thrown.message };
  }
}

/** A mitigation that somebody took back past the bot is taken back. */
async function nothingToChange(
  flow: Flow,
  { incident, aim, by }: { incident: Incident; aim: Aim; by: string },
): Promise<Proposed> {
  const summary = 'The target serves that already.';
  const { undoes } = aim.wish;
  if (undoes === null) return { kind: 'nothing-to-change', summary };
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now, outcome: 'Found taken back at the target.' };
    await moveMitigation(tx, { id: undoes, from: IN_FORCE, to: 'reverted', set });
    const subject = `mitigation ${undoes}`;
    await audit(tx, { at: now, actor: by, action: 'mitigation.reverted', subject, data: { found: true } });
    await enqueue(tx, [showProposal(incident.id, undoes, now), refreshCard(incident.id, now)]);
  });
  return { kind: 'nothing-to-change', summary: `${summary} Mitigation ${undoes} counts as taken back.` };
}

interface Planning {
  incident: Incident;
  service: string;
  target: Target;
  aim: Aim;
  steps: Step[];
}

async function planOf(flow: Flow, planning: Planning): Promise<Plan> {
  const { incident, service, target, aim, steps } = planning;
  const { environment, category } = incident;
  const { wish, why } = aim;
  const limits = steps.some(({ setting }) => kindOf(setting) === 'limit');
  return {
    format: 2,
    incidentId: incident.id,
    service,
    environment,
    target: target.describe(),
    steps,
    wish,
    why,
    blastRadius: await blastRadius(flow, { service, environment, steps }),
    rule: incident.rule ?? (category === 'quality' ? 'quality.score' : null),
    ...classOf({
      steps,
      wish,
      category,
      isForward: wish.kind !== 'known-good' && (await goesForward(flow, incident, steps)),
      offender: limits ? await offenderOf(flow, incident) : null,
      standing: standingNow(flow, { service, environment }),
    }),
    rehearsal: 'Not rehearsed.',
  };
}

async function save(
  flow: Flow,
  tx: Tx,
  { plan, incident, by }: { plan: Plan; incident: Incident; by: string },
): Promise<Proposed> {
  const now = flow.clock.now();
  const summary = describeSteps(plan.steps);
  const current = (await lockIncident(tx, incident.id)) ?? incident;
  if (!mayPropose(current, plan.wish.kind === 'undo')) return { kind: 'ended', status: current.status };
  const twin = (await mitigationsOf(tx, incident.id)).find(
    (known) => known.status === 'proposed' && describeSteps(parsePlan(known.plan).steps) === summary,
  );
  if (twin !== undefined) return { kind: 'already-proposed', mitigation: twin, summary };
  const planHash = hashPlan(plan);
  const expiresAt = new Date(now.getTime() + minutesToMs(flow.config.approval_expires_minutes));
  const mitigation = await insertProposal(tx, { plan, planHash, proposedBy: by, at: now, expiresAt });
  await audit(tx, {
    at: now,
    actor: by,
    action: 'mitigation.proposed',
    subject: `mitigation ${mitigation.id}`,
    data: { planHash, incident: `INC-${incident.id}`, approval: plan.approval },
  });
  const text = `Proposed: ${summary}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'proposed', actor: by, text });
  await enqueue(tx, [showProposal(incident.id, mitigation.id, now), refreshCard(incident.id, now)]);
  return { kind: 'proposed', mitigation, summary };
}

/** What to tell whoever asked for it. */
export function describeProposal(outcome: Proposed): string {
  switch (outcome.kind) {
    case 'proposed':
      return `Proposed: ${outcome.summary}. ${whoApproves(parsePlan(outcome.mitigation.plan))}; the buttons are in the room.`;
    case 'already-proposed':
      return `That is proposed already: ${outcome.summary}. Its buttons are in the room.`;
    case 'ended':
      return `The incident is ${outcome.status}; nothing can be proposed any more.`;
    case 'no-service':
      return 'This incident names no service, so there is nothing to change.';
    case 'no-target':
      return 'No target is configured for this service. Change it where it runs, then `/llm-incident contain HOW`.';
    case 'no-known-good':
      return 'The ledger has no state that was green long enough before this began. Name one: `mitigate prompt NAME=VERSION` or `mitigate model ID`.';
    case 'nothing-to-undo':
      return `${outcome.why}. Nothing was proposed.`;
    case 'wrong':
      return `${outcome.problem} Nothing was proposed.`;
    case 'cannot':
      return `The target ${outcome.target} cannot change ${outcome.setting}. Nothing was proposed.`;
    case 'nothing-to-change':
      return `${outcome.summary} Nothing to change.`;
    case 'target-unreachable':
      return `The target could not be read, so nothing was proposed: ${outcome.problem}.`;
  }
}

function whoApproves({ approval, standing }: Plan): string {
  if (standing !== null)
    return `The standing approval \`${standing.what}\` covers it, so anyone who may approve runs it with one click`;
  if (approval === 'two') return 'Two others who may must approve it';
  return 'Someone else who may must approve it';
}
