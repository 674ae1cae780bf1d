import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { addToTimeline, findIncident, lockIncident } from '../../incident/incident-store.ts';
import { classOf } from '../../mitigation/approval-class.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { IN_FORCE } from '../../mitigation/in-force.ts';
import {
  insertProposal,
  type Mitigation,
  mitigationsOf,
  moveMitigation,
} from '../../mitigation/mitigation-store.ts';
import { hashPlan, type Plan, parsePlan, type Step, stepsTo } from '../../mitigation/plan.ts';
import { kindOf, problemWith, type Setting, type TargetState } from '../../mitigation/serving.ts';
import { describePlan, undoOfPlan } from '../../mitigation/shift.ts';
import type { Target } from '../../mitigation/target.ts';
import { refreshCard, showProposal, showReceipt } from '../effects.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { goesForward } from '../ledger/known-good.ts';
import { offenderOf } from '../watch/offender.ts';
import { type Aim, aimAt, type WantedState, wantedAgain } from './aim.ts';
import { standingNow } from './approvers.ts';
import { blastRadius } from './blast-radius.ts';
import { rehearsePlan } from './plan-rehearsals.ts';
import { describeGate, planShift, type ShiftPlanned } from './plan-shift.ts';
import { type ReleaseGap, releaseGap } from './safety-release.ts';
import { showAgain } from './settle-earlier.ts';

export type Proposed =
  | { kind: 'proposed' | 'already-proposed'; mitigation: Mitigation; summary: string }
  | { kind: 'ended'; status: Incident['status'] }
  | { kind: 'no-service' | 'no-target' }
  | { kind: 'no-known-good'; silent: string[] }
  | { kind: 'nothing-to-undo'; why: string }
  | { kind: 'wrong'; problem: string }
  | { kind: 'cannot'; target: string; setting: Setting }
  | { kind: 'nothing-to-change'; summary: string }
  | { kind: 'target-unreachable'; problem: string }
  | { kind: 'not-released'; gap: ReleaseGap };

export interface Proposing {
  incident: Incident;
  by: string;
  /** Where it is not somebody's wish: what speaks for it. */
  why?: string;
  wanted: WantedState;
  isShownLater?: boolean;
}

/**
 * Proposes a mitigation: what the target serves now is read, the wanted state comes from the person or is the last
 * one in the ledger that was green before the onset, and the plan is hashed as it is shown.
 */
export async function propose(flow: Flow, proposing: Proposing): Promise<Proposed> {
  const planned = await preparePlan(flow, proposing);
  if (planned.kind === 'nothing-to-change') return nothingToChange(flow, { ...planned, by: proposing.by });
  if (planned.kind !== 'planned') return planned;
  return flow.db.transaction().execute((tx) => save(flow, tx, { ...proposing, plan: planned.plan }));
}

export type Prepared =
  | { kind: 'planned'; plan: Plan }
  | { kind: 'nothing-to-change'; aim: Aim }
  | Exclude<Proposed, { kind: 'proposed' | 'already-proposed' | 'nothing-to-change' }>;

/** The plan as it would be proposed now; nothing is changed and nothing is kept. */
export async function preparePlan(
  flow: Flow,
  { incident, wanted, why }: Omit<Proposing, 'by'>,
): Promise<Prepared> {
  const isUndo = typeof wanted === 'object' && 'undo' in wanted;
  if (!mayPropose(incident, isUndo)) return { kind: 'ended', status: incident.status };
  const { service, environment } = incident;
  if (service === null) return { kind: 'no-service' };
  const target = flow.targetFor({ service, environment });
  if (target === null) return { kind: 'no-target' };
  const aimed = await aimAt(flow, incident, wanted);
  if (aimed.kind !== 'aim') return aimed;
  const aim = { ...aimed.aim, why: why ?? aimed.aim.why };
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
  const changes = changesFor(flow, { service, target, aim, state: read.state });
  if (changes.kind === 'wrong') return changes;
  if (changes.kind === 'nothing-to-change') return { kind: 'nothing-to-change', aim };
  const gap = await releaseGap(flow, flow.db, {
    incidentId: incident.id,
    service,
    environment,
    steps: changes.steps,
    shift: changes.shift,
    wish: aim.wish,
    state: read.state,
  });
  if (gap !== null) return { kind: 'not-released', gap };
  return { kind: 'planned', plan: await planOf(flow, { incident, service, target, aim, ...changes }) };
}

/** The steps from what is served now, with the stages of a shift. */
function changesFor(
  flow: Flow,
  { service, target, aim, state }: Pick<Planning, 'service' | 'target' | 'aim'> & { state: TargetState },
): { kind: 'planned'; steps: Step[]; shift: Plan['shift'] } | Exclude<ShiftPlanned, { kind: 'planned' }> {
  if (aim.shift !== undefined) return planShift(flow.config, { wanted: aim.shift, service, state, target });
  const steps = stepsTo(aim.wanted, state);
  return steps.length === 0 ? { kind: 'nothing-to-change' } : { kind: 'planned', steps, shift: null };
}

/** How the outcome of a stale plan says that a new one was proposed. */
export const IN_ITS_PLACE = 'takes its place';

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
    const set = { outcome: `${stale.outcome ?? ''} Proposal ${id} ${IN_ITS_PLACE}.`.trim() };
    await moveMitigation(tx, { id: stale.id, from: ['stale'], to: 'stale', set });
    await enqueue(tx, [showProposal(incident.id, stale.id, now), showReceipt(incident.id, stale.id, now)]);
  });
  return outcome;
}

/** What is in force must be given back also when the incident is over. */
function mayPropose({ status }: Incident, isUndo: boolean): boolean {
  return LIVE.includes(status) || isUndo;
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
async function nothingToChange(flow: Flow, { aim, by }: { aim: Aim; by: string }): Promise<Proposed> {
  const summary = 'The target serves that already.';
  const { undoes } = aim.wish;
  if (undoes === null) return { kind: 'nothing-to-change', summary };
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now, outcome: 'Found taken back at the target.' };
    const moved = await moveMitigation(tx, { id: undoes, from: IN_FORCE, to: 'reverted', set });
    if (moved === undefined) return;
    const subject = `mitigation ${undoes}`;
    await audit(tx, { at: now, actor: by, action: 'mitigation.reverted', subject, data: { found: true } });
    await showAgain(tx, moved, now);
  });
  return { kind: 'nothing-to-change', summary: `${summary} Mitigation ${undoes} counts as taken back.` };
}

interface Planning {
  incident: Incident;
  service: string;
  target: Target;
  aim: Aim;
  steps: Step[];
  shift: Plan['shift'];
}

async function planOf(flow: Flow, planning: Planning): Promise<Plan> {
  const { incident, service, target, aim, steps, shift } = planning;
  const { environment, category } = incident;
  const { wish } = aim;
  const why = shift === null ? aim.why : describeGate(shift);
  const waitMs = minutesToMs(flow.config.approval_expires_minutes);
  const limits = steps.some(({ setting }) => kindOf(setting) === 'limit');
  return {
    format: 3,
    incidentId: incident.id,
    service,
    environment,
    target: target.describe(),
    steps,
    undo: undoOfPlan({ steps, shift }),
    shift,
    wish,
    why,
    blastRadius: await blastRadius(flow, { service, environment, steps, shift }),
    rule: incident.rule ?? (category === 'quality' ? 'quality.score' : null),
    expiresAt: new Date(flow.clock.now().getTime() + waitMs).toISOString(),
    ...classOf({
      steps,
      wish,
      isShift: shift !== null,
      category,
      isForward: wish.kind !== 'known-good' && (await goesForward(flow, incident, steps)),
      offender: limits ? await offenderOf(flow, incident) : null,
      standing: standingNow(flow, { service, environment }),
    }),
  };
}

async function save(
  flow: Flow,
  tx: Tx,
  { plan, incident, by, isShownLater = false }: Omit<Proposing, 'wanted'> & { plan: Plan },
): Promise<Proposed> {
  const now = flow.clock.now();
  const summary = describePlan(plan);
  const current = (await lockIncident(tx, incident.id)) ?? incident;
  if (!mayPropose(current, plan.wish.kind === 'undo')) return { kind: 'ended', status: current.status };
  const twin = (await mitigationsOf(tx, incident.id)).find(
    (known) =>
      known.status === 'proposed' &&
      known.expires_at > now &&
      describePlan(parsePlan(known.plan)) === summary,
  );
  if (twin !== undefined) return { kind: 'already-proposed', mitigation: twin, summary };
  const planHash = hashPlan(plan);
  const expiresAt = new Date(plan.expiresAt);
  const mitigation = await insertProposal(tx, { plan, planHash, proposedBy: by, at: now, expiresAt });
  await audit(tx, {
    at: now,
    actor: by,
    action: 'mitigation.proposed',
    subject: `mitigation ${mitigation.id}`,
    data: { planHash, incident: `INC-${incident.id}`, approval: plan.approval },
  });
  await rehearsePlan(flow, tx, { incident, mitigationId: mitigation.id, steps: plan.steps, now });
  const text = `Proposed: ${summary}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'proposed', actor: by, text });
  if (!isShownLater) await enqueue(tx, showProposal(incident.id, mitigation.id, now));
  await enqueue(tx, refreshCard(incident.id, now));
  return { kind: 'proposed', mitigation, summary };
}
